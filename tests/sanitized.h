#pragma once

namespace holdfast::test {

/// Is this a build under a sanitizer? They keep what was freed and shadow what was not: how much memory a
/// process has is not judged then.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
constexpr bool kSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

}  // namespace holdfast::test
