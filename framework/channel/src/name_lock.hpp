// Ownership of a stream's name in a runtime directory: a lock file, locked for as long as its writer lives.
// Single-thread.
#pragma once

#include <optional>
#include <string>

#include <reel/base/unique_fd.hpp>

namespace reel {

class NameLock {
 public:
  /// Takes the name, waiting a moment for whoever is only tidying up after a dead writer. Throws
  /// Error{in_use} naming the process that has it, be it only by its socket: lock files of the
  /// living get swept away by those who tidy up directories.
  NameLock(const std::string& directory, const std::string& stream);
  /// The same without an error: nullopt when a living process has it.
  [[nodiscard]] static std::optional<NameLock> try_take(const std::string& directory,
                                                        const std::string& stream);
  NameLock(NameLock&&) noexcept = default;
  NameLock& operator=(NameLock&&) noexcept = default;
  /// Removes the lock file, then unlocks.
  ~NameLock();

 private:
  NameLock(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  UniqueFd fd_;
  std::string path_;
};

/// Names of the files that belong to a stream.
[[nodiscard]] std::string socket_file(const std::string& stream);
[[nodiscard]] std::string lock_file(const std::string& stream);
/// What the names of a stream's named segments begin with; no other stream's do, nor those of another
/// directory. REQUIRES: the directory is there.
[[nodiscard]] std::string segment_prefix(const std::string& directory, const std::string& stream);

/// The process that has locked the name ("process 12"), as far as we may look: a living writer, from before
/// it listens. nullopt: none. Others that want the name meanwhile may have to try again.
[[nodiscard]] std::optional<std::string> name_owner(const std::string& directory, const std::string& stream);

/// Removes memory that dead writers left, of whatever directory: one that was made anew since is another, and
/// nobody would come for the memory of the first. Memory of the living is locked by them, in whatever
/// namespaces they are.
void sweep_memory();

/// Removes what a dead writer of this stream left. REQUIRES: the name is locked by the caller.
void remove_leftovers(const std::string& directory, const std::string& stream);

}  // namespace reel
