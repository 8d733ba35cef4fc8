#include "storage/snapshot_store.h"

#include <utility>

#include "base/check.h"
#include "storage/file_names.h"

namespace holdfast::storage {

/// Tasks on their way to the loop find out by this whether the store is still there.
struct SqliteSnapshotStore::Loopside {
  SqliteImageStore& images;
  SqliteLogStore& log;
  Poster post;
  std::vector<Callback<void(Result<node::SnapshotFile>)>> makers;  // wait for the copy that is being made

  void made(const Result<node::SnapshotFile>& result) {
    for (auto& done : std::exchange(makers, {})) done(result);
  }
  /// Whoever is told may leave another state in `into` than was loaded, the one before; either takes long to
  /// free. The image's thread lets go of it, once nobody here holds it any more.
  void end_install(std::shared_ptr<node::ImageLoader> into, Installed done, Result<void> result) {
    done(std::move(result));
    done = {};
    if (!images.stopped()) images.run([into = std::move(into)](ImageFiles&) mutable { into.reset(); });
  }
};

namespace {

/// Hands a result to its receiver on the loop.
template <typename T>
void answer(const Poster& post, Callback<void(Result<T>)> done, Result<T> result) {
  post([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
}

}  // namespace

SqliteSnapshotStore::SqliteSnapshotStore(SqliteImageStore& images, SqliteLogStore& log, Poster post)
    : loopside_(std::make_shared<Loopside>(Loopside{images, log, std::move(post), {}})) {}

SqliteSnapshotStore::~SqliteSnapshotStore() = default;

void SqliteSnapshotStore::make(Callback<void(Result<node::SnapshotFile>)> done) {
  loopside_->makers.push_back(std::move(done));
  if (loopside_->makers.size() > 1) return;
  auto made = [post = loopside_->post,
               loopside = std::weak_ptr<Loopside>(loopside_)](Result<node::SnapshotFile> result) {
    post([loopside, result = std::move(result)] {
      if (const auto here = loopside.lock()) here->made(result);
    });
  };
  loopside_->images.run(
      [made = std::move(made)](ImageFiles& files) mutable { files.copies.want(std::move(made)); });
}

void SqliteSnapshotStore::read(Index index, std::uint64_t offset, std::size_t most_bytes,
                               Callback<void(Result<Blob>)> done) {
  loopside_->images.run(
      [index, offset, most_bytes, post = loopside_->post, done = std::move(done)](ImageFiles& files) mutable {
        Result<Blob> bytes = files.copies.read(index, offset, most_bytes);
        answer(post, std::move(done), std::move(bytes));
      });
}

void SqliteSnapshotStore::release(Index index) {
  loopside_->images.run([index](ImageFiles& files) { files.copies.release(index); });
}

void SqliteSnapshotStore::begin(node::SnapshotFile file, Callback<void(Result<std::uint64_t>)> next_offset) {
  loopside_->images.run([file = std::move(file), post = loopside_->post,
                         done = std::move(next_offset)](ImageFiles& files) mutable {
    Result<std::uint64_t> next = files.incoming.begin(file);
    answer(post, std::move(done), std::move(next));
  });
}

void SqliteSnapshotStore::write(std::uint64_t offset, Blob bytes,
                                Callback<void(Result<std::uint64_t>)> next_offset) {
  loopside_->images.run([offset, bytes = std::move(bytes), post = loopside_->post,
                         done = std::move(next_offset)](ImageFiles& files) mutable {
    Result<std::uint64_t> next = files.incoming.write(offset, bytes);
    answer(post, std::move(done), std::move(next));
  });
}

void SqliteSnapshotStore::install(raft::Snapshot at, std::shared_ptr<node::ImageLoader> into,
                                  Callback<void(Result<void>)> done) {
  node::ImageLoader& loader = *into;  // of `end`, which outlives the loading
  auto end = [loopside = std::weak_ptr<Loopside>(loopside_), into = std::move(into),
              done = std::move(done)](Result<void> result) mutable {
    if (const auto here = loopside.lock()) {
      here->end_install(std::move(into), std::move(done), std::move(result));
    }
  };
  auto go_on = [loopside = std::weak_ptr<Loopside>(loopside_), at](Installed installed) mutable {
    const auto here = loopside.lock();
    if (!here || here->log.stopped()) return;  // what was received is a stray
    const std::string file = image_file_name(at.index);
    // From the commit of this on, the received image is the member's.
    here->log.install(std::move(at), file, [loopside, installed = std::move(installed)]() mutable {
      const auto still_here = loopside.lock();
      if (!still_here || still_here->images.stopped()) return;  // the next start opens the new image
      still_here->images.replace([installed = std::move(installed)]() mutable { installed({}); });
    });
  };
  loopside_->images.run([at = std::move(at), &loader, post = loopside_->post, go_on = std::move(go_on),
                         end = Installed(std::move(end))](ImageFiles& files) mutable {
    INVARIANT(!files.next, "one image is installed at a time");
    Result<std::unique_ptr<ImageDatabase>> prepared = files.incoming.prepare(at, loader);
    if (!prepared) {
      post([end = std::move(end), error = prepared.error()]() mutable { end(fail(std::move(error))); });
      return;
    }
    files.next = *std::move(prepared);
    post([go_on = std::move(go_on), end = std::move(end)]() mutable { go_on(std::move(end)); });
  });
}

}  // namespace holdfast::storage
