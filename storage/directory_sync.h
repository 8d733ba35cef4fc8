#pragma once

#include <filesystem>

namespace holdfast::storage {

/// Makes the directory's entries durable: a file that was created is there after a power cut.
/// Throws: StorageFailure.
void sync_directory(const std::filesystem::path& directory);

}  // namespace holdfast::storage
