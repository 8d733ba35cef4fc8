#include "tests/sim/image_file.h"

#include "base/digest.h"

namespace holdfast::sim {

namespace {

class Writer {
 public:
  void number(std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) bytes += static_cast<char>((number >> shift) & 0xff);
  }
  void text(std::string_view text) {
    number(text.size());
    bytes += text;
  }
  std::string bytes;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  std::uint64_t number() {
    std::string_view digits = take(8);
    std::uint64_t number = 0;
    for (std::size_t i = digits.size(); i-- > 0;) {
      number = (number << 8) | static_cast<unsigned char>(digits[i]);
    }
    return number;
  }
  std::string text() { return std::string(take(number())); }
  bool good() const { return good_; }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view take(std::uint64_t count) {
    good_ = good_ && count <= rest_.size();
    if (!good_) return {};
    std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::string_view rest_;
  bool good_ = true;
};

void write_cell(Writer& out, const Cell& cell) {
  out.number(cell.index());
  if (const auto* number = std::get_if<std::int64_t>(&cell)) {
    out.number(static_cast<std::uint64_t>(*number));
  } else if (const auto* text = std::get_if<std::string>(&cell)) {
    out.text(*text);
  } else {
    out.text(std::get<Blob>(cell).view());
  }
}

Cell read_cell(Reader& in) {
  switch (in.number()) {
    case 0:
      return static_cast<std::int64_t>(in.number());
    case 1:
      return in.text();
    default:
      return Blob(in.text());
  }
}

}  // namespace

std::string to_file(const StoredImage& image) {
  Writer out;
  out.number(image.applied.value());
  out.number(image.rows.size());
  for (const auto& [key, row] : image.rows) {
    out.text(key);
    out.number(row.first);
    out.number(row.second.size());
    for (const Cell& cell : row.second) write_cell(out, cell);
  }
  out.number(image.history.size());
  for (const auto& [first, row] : image.history) {
    out.number(row.first.value());
    out.number(row.last.value());
    out.text(row.changes.view());
  }
  return std::move(out.bytes);
}

Result<StoredImage> from_file(std::string_view bytes) {
  Reader in(bytes);
  StoredImage image;
  image.applied = Index(in.number());
  for (std::uint64_t rows = in.number(); rows > 0 && in.good(); --rows) {
    std::string key = in.text();
    std::size_t table = in.number();
    Row row;
    for (std::uint64_t cells = in.number(); cells > 0 && in.good(); --cells) row.push_back(read_cell(in));
    image.rows.emplace(std::move(key), std::pair(table, std::move(row)));
  }
  for (std::uint64_t rows = in.number(); rows > 0 && in.good(); --rows) {
    node::HistoryRow row;
    row.first = Revision(in.number());
    row.last = Revision(in.number());
    row.changes = Blob(in.text());
    image.history.emplace(row.first, row);
  }
  if (!in.good() || !in.at_end()) return fail(Errc::kCorrupt, "the image's file is not whole");
  return image;
}

std::string digest_of(std::string_view file) { return std::to_string(Digest().add(file).value()); }

}  // namespace holdfast::sim
