#include <capnp/message.h>
#include <capnp/serialize.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <vector>

#include "base/limits.h"
#include "base/random.h"
#include "net/frame_assembler.h"
#include "net/frame_header.h"
#include "net/outgoing_queue.h"

namespace holdfast::net {
namespace {

constexpr std::size_t kMax = 4096;

std::string table(std::vector<std::uint32_t> numbers) {
  std::string bytes(numbers.size() * 4, '\0');
  std::memcpy(bytes.data(), numbers.data(), bytes.size());
  return bytes;
}

Result<std::optional<FrameHeader>> judge(const std::string& bytes, std::size_t max = kMax) {
  return read_frame_header(std::as_bytes(std::span(bytes.data(), bytes.size())), max);
}

TEST_CASE("a header tells its own size and the frame's") {
  CHECK(**judge(table({0, 1})) == FrameHeader{1, 8, 16});
  CHECK(**judge(table({0, 511})) == FrameHeader{1, 8, 4096});
  CHECK(**judge(table({1, 1, 2, 0})) == FrameHeader{2, 16, 40});
  CHECK(**judge(table({2, 1, 0, 3})) == FrameHeader{3, 16, 48});
  std::vector<std::uint32_t> most{63};
  most.resize(66, 1);
  CHECK(**judge(table(most)) == FrameHeader{64, 264, 264 + 64 * 8});
}

TEST_CASE("headers are refused that the library must not see") {
  struct Case {
    const char* what;
    std::vector<std::uint32_t> table;
    Errc code;
  };
  const std::vector<Case> cases{
      {"FF FF FF FF: no segments, by the library's count", {0xffffffff}, Errc::kLimitExceeded},
      {"FF FF FF FE", {0xfffffffe}, Errc::kLimitExceeded},
      {"65 segments", {64}, Errc::kLimitExceeded},
      {"one word too many", {0, 512}, Errc::kLimitExceeded},
      {"a segment of 32 GiB", {0, 0xffffffff}, Errc::kLimitExceeded},
      {"sizes whose sum wraps around 32 bits", {1, 0x80000000, 0x80000001, 0}, Errc::kLimitExceeded},
      {"sizes whose bytes wrap around 32 bits", {0, 0x20000001}, Errc::kLimitExceeded},
      {"no root", {0, 0}, Errc::kInvalidArgument},
      {"no root in the first of two segments", {1, 0, 1, 0}, Errc::kInvalidArgument},
  };
  for (const auto& one : cases) {
    INFO(one.what);
    const auto header = judge(table(one.table));
    REQUIRE(!header);
    CHECK(header.error().code == one.code);
  }
}

TEST_CASE("a header that is not whole is waited for") {
  const std::string whole = table({2, 1, 1, 1});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto header = judge(whole.substr(0, size));
    REQUIRE(header);
    CHECK(!*header);
  }
  CHECK(*judge(whole));
}

/// A frame of that many words behind its header, told apart by `mark`.
std::string frame_of(std::uint32_t words, char mark) {
  return table({0, words}) + std::string(words * 8, mark);
}

std::string text_of(kj::ArrayPtr<const capnp::word> frame) {
  const auto bytes = frame.asBytes();
  CHECK(reinterpret_cast<std::uintptr_t>(bytes.begin()) % 8 == 0);
  return std::string(reinterpret_cast<const char*>(bytes.begin()), bytes.size());
}

/// Puts bytes in as a socket would, at most `step` at a time; gives what comes out.
std::vector<std::string> feed(FrameAssembler& assembler, std::string_view bytes, std::size_t step) {
  std::vector<std::string> frames;
  while (!bytes.empty()) {
    const auto space = assembler.space();
    const std::size_t now = std::min({space.size(), step, bytes.size()});
    std::memcpy(space.data(), bytes.data(), now);
    assembler.added(now);
    bytes.remove_prefix(now);
    while (assembler.ready()) {
      // Of those that can be read where they lie every other one is.
      const auto looked_at = assembler.look();
      const std::string there = looked_at.size() > 0 ? text_of(looked_at) : "";
      if (!there.empty() && frames.size() % 2 == 0) {
        assembler.pass(looked_at);
        frames.push_back(there);
        continue;
      }
      auto frame = assembler.next();
      REQUIRE(frame);
      REQUIRE(*frame);
      frames.push_back(text_of(**frame));
      CHECK((there.empty() || there == frames.back()));
    }
    CHECK(assembler.look().size() == 0);
  }
  return frames;
}

TEST_CASE("frames come out whole, whatever pieces they arrive in") {
  std::vector<std::string> sent;
  std::string stream;
  Random random(5);
  for (int i = 0; i < 40; ++i) {
    const auto words = random.chance(20) ? random.between(600, 12'000) : random.between(1, 100);
    sent.push_back(frame_of(static_cast<std::uint32_t>(words), static_cast<char>('a' + i % 26)));
    stream += sent.back();
  }
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{4096}, stream.size()}) {
    FrameAssembler assembler(1 << 20);
    CHECK(feed(assembler, stream, step) == sent);
    CHECK(!assembler.inside_frame());
  }
}

TEST_CASE("an incomplete frame shows, so that its end can be told from a cut") {
  FrameAssembler assembler(kMax);
  CHECK(!assembler.inside_frame());
  const std::string frame = frame_of(3, 'x');
  feed(assembler, frame.substr(0, 3), 100);
  CHECK(assembler.inside_frame());
  CHECK(feed(assembler, frame.substr(3), 100).size() == 1);
  CHECK(!assembler.inside_frame());
}

TEST_CASE("a refused header stays refused") {
  FrameAssembler assembler(kMax);
  const auto space = assembler.space();
  std::memset(space.data(), 0xff, 4);
  assembler.added(4);
  REQUIRE(assembler.ready());
  CHECK(!assembler.next());
  CHECK(!assembler.next());
}

TEST_CASE("random bytes are cut or refused, and never read past their end") {
  Random random(17);
  int refused = 0;
  for (int round = 0; round < 2000; ++round) {
    FrameAssembler assembler(kMax);
    for (int piece = 0; piece < 20; ++piece) {
      const auto space = assembler.space();
      const std::size_t now = std::min<std::size_t>(space.size(), random.between(1, 64));
      for (std::size_t i = 0; i < now; ++i) {
        space[i] = static_cast<std::byte>(random.chance(70) ? 0 : random.next());
      }
      assembler.added(now);
      while (assembler.ready() && assembler.next()) {
      }
      if (assembler.ready()) {
        ++refused;
        break;
      }
    }
  }
  CHECK(refused > 100);
}

TEST_CASE("a queue gives out what the library would have written") {
  Random random(3);
  OutgoingQueue queue;
  std::string expected;
  std::vector<kj::Array<capnp::word>> kept;
  for (int i = 0; i < 200; ++i) {
    const std::size_t segments = random.between(1, 5);
    std::vector<kj::ArrayPtr<const capnp::word>> message;
    for (std::size_t s = 0; s < segments; ++s) {
      auto words =
          kj::heapArray<capnp::word>(random.chance(5) ? random.between(5000, 20'000) : random.between(1, 50));
      std::memset(static_cast<void*>(words.begin()), static_cast<int>(random.below(256)),
                  words.size() * sizeof(capnp::word));
      message.push_back(words.asPtr());
      kept.push_back(kj::mv(words));
    }
    const auto parts = kj::arrayPtr(message.data(), message.size());
    auto flat = capnp::messageToFlatArray(parts);
    expected.append(reinterpret_cast<const char*>(flat.begin()), flat.asBytes().size());
    CHECK(frame_bytes(parts) == flat.asBytes().size());
    if (random.chance(50)) {
      queue.add(parts);
    } else {
      queue.add(kj::mv(flat));
    }
  }
  CHECK(queue.bytes() == expected.size());
  std::string written;
  while (!queue.empty()) {
    const auto pieces = queue.gather();
    std::size_t shown = 0;
    for (const auto& piece : pieces) {
      shown += piece.size();
    }
    // As a kernel would: some of it, not at a piece's end.
    std::size_t taken = random.between(1, shown);
    std::size_t left = taken;
    for (const auto& piece : pieces) {
      const std::size_t now = std::min(left, piece.size());
      written.append(static_cast<const char*>(piece.data()), now);
      left -= now;
    }
    queue.consumed(taken);
  }
  CHECK(written == expected);
}

TEST_CASE("memory that was shown stays in place while more is added") {
  OutgoingQueue queue;
  auto frame = [](char mark) {
    auto words = kj::heapArray<capnp::word>(10);
    std::memset(static_cast<void*>(words.begin()), mark, words.size() * sizeof(capnp::word));
    return words;
  };
  queue.add(frame('a'));
  const auto shown = queue.gather();
  REQUIRE(shown.size() == 1);
  for (int i = 0; i < 10'000; ++i) {
    queue.add(frame('b'));
  }
  const auto* bytes = static_cast<const char*>(shown[0].data());
  CHECK(std::string(bytes, shown[0].size()) == std::string(80, 'a'));
  CHECK(queue.gather()[0].data() == shown[0].data());
}

}  // namespace
}  // namespace holdfast::net
