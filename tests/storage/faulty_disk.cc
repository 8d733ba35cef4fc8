#include "tests/storage/faulty_disk.h"

#include <algorithm>

#include "base/check.h"

namespace {

constexpr std::size_t kSectorBytes = 512;
constexpr std::uint64_t kUnlimited = std::uint64_t{1} << 40;

void put(std::string& contents, std::size_t at, std::string_view bytes) {
  if (contents.size() < at + bytes.size()) contents.resize(at + bytes.size(), '\0');
  std::copy(bytes.begin(), bytes.end(), contents.begin() + static_cast<std::ptrdiff_t>(at));
}

}  // namespace

void FaultyDisk::fail_at(std::uint64_t k, Fault fault) {
  const std::lock_guard hold(mutex_);
  operations_ = 0;
  fault_at_ = k;
  fault_ = fault;
}

std::uint64_t FaultyDisk::operations() const {
  const std::lock_guard hold(mutex_);
  return operations_;
}

std::uint64_t FaultyDisk::operations_after_fault() const {
  const std::lock_guard hold(mutex_);
  return fault_ != Fault::kNone && operations_ > fault_at_ ? operations_ - fault_at_ : 0;
}

Fault FaultyDisk::next_operation() {
  ++operations_;
  if (fault_ == Fault::kPowerCut && operations_ >= fault_at_) return Fault::kPowerCut;
  return operations_ == fault_at_ ? fault_ : Fault::kNone;
}

void FaultyDisk::survive(File& file, Loss loss) {
  if (loss == Loss::kOmit) file.unsynced.clear();
  for (const File::Change& change : file.unsynced) {
    if (change.truncates) {
      if (random_.chance(50)) file.durable.resize(change.at);
      continue;
    }
    // A sector is the unit that a disk writes; bytes of it that were not written are not harmed.
    for (std::size_t at = change.at; at < change.at + change.bytes.size();) {
      const std::size_t end =
          std::min(change.at + change.bytes.size(), (at / kSectorBytes + 1) * kSectorBytes);
      const auto fate = random_.below(loss == Loss::kGarble ? 3 : 2);
      std::string sector = change.bytes.substr(at - change.at, end - at);
      if (fate == 2) {
        for (char& byte : sector) byte = static_cast<char>(random_.next());
      }
      if (fate != 0) put(file.durable, at, sector);
      at = end;
    }
    file.durably_there = true;
  }
  file.unsynced.clear();
  file.current = file.durable;
}

void FaultyDisk::restart(Loss loss) {
  const std::lock_guard hold(mutex_);
  operations_ = 0;
  fault_at_ = 0;
  fault_ = Fault::kNone;
  survive_directory(loss);
  for (auto each = files_.begin(); each != files_.end();) {
    INVARIANT(each->second.use_count() == 1, "a file is not open while the power is off");
    survive(*each->second, loss);
    each = each->second->durably_there ? std::next(each) : files_.erase(each);
  }
}

/// Directories are journaled: of what was not synced, the earliest changes may have survived, in order.
void FaultyDisk::survive_directory(Loss loss) {
  const std::size_t survived = loss == Loss::kOmit ? 0 : random_.below(unsynced_names_.size() + 1);
  while (unsynced_names_.size() > survived) {
    NameChange change = std::move(unsynced_names_.back());
    unsynced_names_.pop_back();
    if (!change.added.empty()) files_.erase(change.added);
    if (!change.removed.empty()) files_[change.removed] = std::move(change.file);
  }
  unsynced_names_.clear();
}

void FaultyDisk::erase() {
  const std::lock_guard hold(mutex_);
  files_.clear();
  unsynced_names_.clear();
}

void FaultyDisk::set_capacity(std::uint64_t bytes) {
  const std::lock_guard hold(mutex_);
  capacity_ = bytes;
}

void FaultyDisk::set_taken(std::uint64_t bytes) {
  const std::lock_guard hold(mutex_);
  taken_ = bytes;
}

void FaultyDisk::take_what_is_free() {
  const std::lock_guard hold(mutex_);
  INVARIANT(capacity_ != 0, "only a disk of a known size can be filled");
  const std::uint64_t own = used();
  if (own < capacity_) taken_ = capacity_ - own;
}

std::uint64_t FaultyDisk::used_bytes() const {
  const std::lock_guard hold(mutex_);
  return used();
}

std::uint64_t FaultyDisk::reads() const {
  const std::lock_guard hold(mutex_);
  return reads_;
}

std::uint64_t FaultyDisk::used() const {
  std::uint64_t bytes = 0;
  for (const auto& [path, file] : files_) bytes += file->current.size();
  return bytes;
}

bool FaultyDisk::has_room(const File& file, std::size_t size) const {
  if (capacity_ == 0 || size <= file.current.size()) return true;
  return used() + taken_ + (size - file.current.size()) <= capacity_;
}

std::uint64_t FaultyDisk::capacity() const {
  const std::lock_guard hold(mutex_);
  return capacity_ == 0 ? kUnlimited : capacity_;
}

std::uint64_t FaultyDisk::free_bytes() const {
  const std::lock_guard hold(mutex_);
  if (capacity_ == 0) return kUnlimited;
  const std::uint64_t bytes = used() + taken_;
  return bytes < capacity_ ? capacity_ - bytes : 0;
}

std::vector<std::string> FaultyDisk::names() const {
  const std::lock_guard hold(mutex_);
  std::vector<std::string> names;
  for (const auto& [path, file] : files_) names.push_back(path);
  return names;
}

std::shared_ptr<FaultyDisk::File> FaultyDisk::create(const std::string& path) {
  const std::lock_guard hold(mutex_);
  auto found = files_.find(path);
  if (found != files_.end()) return found->second;
  unsynced_names_.push_back({path, "", nullptr});
  return files_[path] = std::make_shared<File>();
}

Fault FaultyDisk::unlink(const std::string& path) {
  const std::lock_guard hold(mutex_);
  const Fault fault = next_operation();
  if (fault != Fault::kNone) return fault;
  unsynced_names_.push_back({"", path, files_.at(path)});
  files_.erase(path);
  return fault;
}

Fault FaultyDisk::rename(const std::string& from, const std::string& to) {
  const std::lock_guard hold(mutex_);
  INVARIANT(files_.count(to) == 0, "nothing is renamed over something else");
  const Fault fault = next_operation();
  if (fault != Fault::kNone) return fault;
  unsynced_names_.push_back({to, from, files_.at(from)});
  files_[to] = files_.at(from);
  files_.erase(from);
  return fault;
}

Fault FaultyDisk::sync_directory() {
  const std::lock_guard hold(mutex_);
  const Fault fault = next_operation();
  if (fault == Fault::kNone) unsynced_names_.clear();
  return fault;
}

bool FaultyDisk::exists(const std::string& path) const {
  const std::lock_guard hold(mutex_);
  return files_.count(path) != 0;
}

void FaultyDisk::flip_bit(const std::string& path, std::size_t byte, unsigned bit) {
  std::string bytes = contents(path);
  bytes.at(byte) = static_cast<char>(static_cast<unsigned char>(bytes.at(byte)) ^ (1u << bit));
  replace(path, std::move(bytes));
}

std::string FaultyDisk::contents(const std::string& path) const {
  const std::lock_guard hold(mutex_);
  return files_.at(path)->current;
}

void FaultyDisk::replace(const std::string& path, std::string bytes) {
  const std::lock_guard hold(mutex_);
  File& file = *files_.at(path);
  file.unsynced.clear();
  file.durable = bytes;
  file.current = std::move(bytes);
}

std::shared_ptr<FaultyDisk::File> FaultyDisk::open(const std::string& path, bool create) {
  const std::lock_guard hold(mutex_);
  auto found = files_.find(path);
  if (found != files_.end()) return found->second;
  if (!create) return nullptr;
  return files_[path] = std::make_shared<File>();
}

Fault FaultyDisk::remove(const std::string& path) {
  const std::lock_guard hold(mutex_);
  const Fault fault = next_operation();
  if (fault == Fault::kNone) files_.erase(path);
  return fault;
}

Fault FaultyDisk::write(File& file, std::size_t at, std::string_view bytes) {
  const std::lock_guard hold(mutex_);
  Fault fault = next_operation();
  if (fault == Fault::kNone && !has_room(file, at + bytes.size())) fault = Fault::kFull;
  if (fault == Fault::kFull) return fault;
  // A write that failed, or that the power cut overtook, may have reached the disk in part.
  file.unsynced.push_back({at, std::string(bytes), false, fault != Fault::kNone});
  if (fault == Fault::kNone) put(file.current, at, bytes);
  return fault;
}

Fault FaultyDisk::truncate(File& file, std::size_t size) {
  const std::lock_guard hold(mutex_);
  const Fault fault = next_operation();
  file.unsynced.push_back({size, "", true, fault != Fault::kNone});
  if (fault == Fault::kNone) file.current.resize(size);
  return fault;
}

Fault FaultyDisk::sync(File& file) {
  const std::lock_guard hold(mutex_);
  const Fault fault = next_operation();
  if (fault != Fault::kNone) return fault;
  for (const File::Change& change : file.unsynced) {
    if (change.failed) continue;
    change.truncates ? file.durable.resize(change.at) : put(file.durable, change.at, change.bytes);
  }
  file.durably_there = true;
  file.unsynced.clear();
  return fault;
}

std::size_t FaultyDisk::read(const File& file, std::size_t at, std::size_t count, char* into) const {
  const std::lock_guard hold(mutex_);
  ++reads_;
  const std::size_t there = at < file.current.size() ? std::min(count, file.current.size() - at) : 0;
  if (there > 0) std::copy_n(file.current.data() + at, there, into);
  std::fill(into + there, into + count, '\0');
  return there;
}

std::size_t FaultyDisk::size(const File& file) const {
  const std::lock_guard hold(mutex_);
  return file.current.size();
}

std::uint64_t FaultyDisk::random() {
  const std::lock_guard hold(mutex_);
  return random_.next();
}
