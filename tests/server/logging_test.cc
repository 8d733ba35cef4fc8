#include "server/logging.h"

#include <catch2/catch.hpp>

namespace holdfast::server {

TEST_CASE("a line of text is words, and what is no word is quoted") {
  CHECK(text_line(LogLevel::kInfo, "ready", {{"name", "n1"}, {"term", 7}}) ==
        "info event=ready name=n1 term=7");
  CHECK(text_line(LogLevel::kWarn, "odd", {{"a", "two words"}, {"b", ""}, {"c", "say \"x\"\nend"}}) ==
        R"(warn event=odd a="two words" b="" c="say \"x\"\nend")");
}

TEST_CASE("a line of JSON carries the same") {
  CHECK(json_line(LogLevel::kError, "ready", {{"name", "a\"b\\c\x01"}}) ==
        R"("level":"error","message":"event=ready","event":"ready","name":"a\"b\\c\u0001"})");
}

}  // namespace holdfast::server
