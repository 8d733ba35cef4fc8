#include "tests/chaos/history.h"

#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

namespace holdfast::chaos {

namespace {

constexpr std::array<std::string_view, 12> kKinds = {"put",  "delete", "get",   "grant", "release", "hold",
                                                     "look", "lease",  "event", "fault", "breach",  "final"};
constexpr std::array<std::string_view, 4> kAnswers = {"done", "mismatch", "failed", "unknown"};

template <typename Enum, std::size_t N>
bool read_name(const std::array<std::string_view, N>& names, const std::string& name, Enum& out) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] != name) continue;
    out = static_cast<Enum>(i);
    return true;
  }
  return false;
}

template <typename Number>
void add(nlohmann::ordered_json& object, const char* name, const Number& value) {
  if (value != Number{}) object[name] = value;
}

template <typename Number>
void read(const nlohmann::json& object, const char* name, Number& out) {
  if (const auto found = object.find(name); found != object.end()) found->get_to(out);
}

}  // namespace

std::string to_line(const Record& record) {
  nlohmann::ordered_json object = {{"kind", kKinds[static_cast<std::size_t>(record.kind)]},
                                   {"client", record.client},
                                   {"call", record.call},
                                   {"end", record.end}};
  if (record.answer != Answer::kDone) object["answer"] = kAnswers[static_cast<std::size_t>(record.answer)];
  add(object, "key", record.key);
  add(object, "value", record.value);
  add(object, "conditional", record.conditional);
  add(object, "expected", record.expected);
  add(object, "present", record.present);
  add(object, "revision", record.revision);
  add(object, "store_revision", record.store_revision);
  add(object, "version", record.version);
  add(object, "create_revision", record.create_revision);
  add(object, "token", record.token);
  add(object, "lease", record.lease);
  add(object, "until", record.until);
  add(object, "waiting", record.waiting);
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<Record> from_line(const std::string& line) {
  const auto object = nlohmann::json::parse(line, nullptr, false);
  if (!object.is_object()) return fail(Errc::kInvalidArgument, "not a JSON object: " + line);
  Record record;
  try {
    if (!read_name(kKinds, object.at("kind").get<std::string>(), record.kind)) {
      return fail(Errc::kInvalidArgument, "no such kind: " + line);
    }
    if (!read_name(kAnswers, object.value("answer", "done"), record.answer)) {
      return fail(Errc::kInvalidArgument, "no such answer: " + line);
    }
    object.at("client").get_to(record.client);
    object.at("call").get_to(record.call);
    object.at("end").get_to(record.end);
    read(object, "key", record.key);
    read(object, "value", record.value);
    read(object, "conditional", record.conditional);
    read(object, "expected", record.expected);
    read(object, "present", record.present);
    read(object, "revision", record.revision);
    read(object, "store_revision", record.store_revision);
    read(object, "version", record.version);
    read(object, "create_revision", record.create_revision);
    read(object, "token", record.token);
    read(object, "lease", record.lease);
    read(object, "until", record.until);
    read(object, "waiting", record.waiting);
  } catch (const nlohmann::json::exception& error) {
    return fail(Errc::kInvalidArgument, std::string(error.what()) + ": " + line);
  }
  return record;
}

Result<std::unique_ptr<HistoryFile>> HistoryFile::create(const std::string& path) {
  std::ofstream file(path);
  if (!file) return fail(Errc::kStorage, "cannot write " + path);
  return std::unique_ptr<HistoryFile>(new HistoryFile(std::move(file)));
}

void HistoryFile::add(const Record& record) {
  const std::string line = to_line(record) + "\n";
  const std::lock_guard guard(mutex_);
  file_ << line << std::flush;
}

Result<std::vector<Record>> read_history(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(Errc::kInvalidArgument, "cannot read " + path);
  std::vector<Record> records;
  std::string line;
  while (std::getline(file, line)) {
    auto record = from_line(line);
    if (!record && file.eof()) break;
    if (!record) {
      return fail(Errc::kInvalidArgument,
                  path + ", line " + std::to_string(records.size() + 1) + ": " + record.error().message);
    }
    records.push_back(*std::move(record));
  }
  return records;
}

}  // namespace holdfast::chaos
