#pragma once

#include <string>

#include "base/ids.h"

/// The names in a data directory: docs/formats/LOG.md. DO NOT CHANGE THEM.
namespace holdfast::storage {

class Files;

inline constexpr const char* kLogFile = "log.db";
inline constexpr const char* kFirstImageFile = "state.db";  ///< of a member that installed none yet
inline constexpr const char* kBallastFile = "ballast";

/// An image that was received, and goes on being written as this member's own.
std::string image_file_name(Index at);
/// A copy of an image, for others to read.
std::string copy_file_name(Index at);
/// An image on its way in.
std::string incoming_file_name(Index at);

/// Removes what an earlier process has left behind: copies, what was only half received, and images other
/// than `image_file`, the one that the log names (empty: kFirstImageFile). Durable when it returns. Throws:
/// StorageFailure.
void remove_strays(Files& files, const std::string& directory, const std::string& image_file);

}  // namespace holdfast::storage
