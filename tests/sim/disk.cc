#include "tests/sim/disk.h"

#include "tests/sim/model_disk.h"
#include "tests/sim/sqlite_disk.h"

namespace holdfast::sim {

std::unique_ptr<Disk> make_disk(Schedule& schedule, Random random, const DiskOptions& options) {
  if (options.sqlite) return std::make_unique<SqliteDisk>(schedule, random, options);
  return std::make_unique<ModelDisk>(schedule, random, options);
}

}  // namespace holdfast::sim
