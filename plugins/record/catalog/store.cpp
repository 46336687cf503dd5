#include "catalog/store.hpp"

#include <cerrno>
#include <filesystem>
#include <span>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/base/peer_text.hpp>
#include <reel/base/text.hpp>
#include <reel/base/whole_file.hpp>

#include "catalog/file_calls.hpp"
#include "catalog/mount.hpp"
#include "catalog/segment_name.hpp"

namespace record {

namespace {

constexpr std::size_t kLongestMark = 512;

std::string folder_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

void make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0777) == 0) return sync_directory(folder_of(path));
  if (errno != EEXIST) fail_file(errno, "making the directory", path);
}

/// The one directory, never those above it: they are there, or a disk is not mounted.
void make_top(const std::string& path) {
  if (!exists(folder_of(path) + "/"))
    throw reel::Error(
        reel::ErrorCode::not_found,
        "there is neither this directory nor the one above it: make it, mount its disk, or name "
        "another directory",
        path);
  make_directory(path);
}

std::string lock_path(const std::string& directory, const std::string& recording) {
  return directory + "/." + recording + ".lock";
}

/// Renames, and never over something else.
void rename_new(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return;
  if (errno == EINVAL && !exists(to) && ::rename(from.c_str(), to.c_str()) == 0) return;
  fail_file(errno, "giving the finished file its name", to);
}

/// Nullopt: there is none.
std::optional<std::uint64_t> size_if_there(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) == 0) return static_cast<std::uint64_t>(facts.st_size);
  if (errno == ENOENT) return std::nullopt;
  fail_file(errno, "looking at the file", path);
}

std::uint64_t size_of(const std::string& path) {
  if (const std::optional<std::uint64_t> size = size_if_there(path)) return *size;
  fail_file(ENOENT, "looking at the file", path);
}

/// Names in `folder` that begin with `prefix`.
std::vector<std::string> files_of(const std::string& folder, const std::string& prefix) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    std::string name = entry.path().filename().string();
    if (name.starts_with(prefix)) names.push_back(std::move(name));
  }
  return names;
}

void remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) fail_file(errno, "removing the file", path);
}

}  // namespace

Store::Store(StoreOptions options) : options_(std::move(options)) {
  std::string& directory = options_.directory;
  if (directory.empty())
    throw reel::Error(reel::ErrorCode::bad_argument, "no directory of recordings was named");
  directory = std::filesystem::absolute(directory).lexically_normal().string();
  while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
  if (!options_.require_mount.empty()) check_mount(options_.require_mount, directory);
  if (options_.create && !exists(directory)) make_top(directory);
  check();
  if (options_.create && ::access(directory.c_str(), W_OK | X_OK) != 0)
    fail_file(errno, "recording into this directory", directory);
}

void Store::check() const {
  if (!options_.require_mount.empty()) check_mount(options_.require_mount, options_.directory);
  struct stat facts {};
  if (::stat(options_.directory.c_str(), &facts) != 0)
    fail_file(errno, "looking for the directory of recordings", options_.directory);
  if (!S_ISDIR(facts.st_mode))
    throw reel::Error(reel::ErrorCode::bad_argument, "this is no directory, which recordings are in",
                      options_.directory);
}

std::uint64_t Store::free_bytes() const {
  struct statvfs facts {};
  if (::statvfs(options_.directory.c_str(), &facts) != 0)
    fail_file(errno, "asking for the free space", options_.directory);
  return std::uint64_t{facts.f_bavail} * facts.f_frsize;
}

void Store::try_to_write(const std::string& recording) const {
  check();
  const std::string path = options_.directory + "/." + recording + ".try";
  const std::string text(4096, ' ');
  const reel::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
  const bool done = file && ::write(file.get(), text.data(), text.size()) > 0 && ::fdatasync(file.get()) == 0;
  const int why = errno;
  (void)::unlink(path.c_str());
  if (!done) fail_file(why, "trying to write", path);
}

RecordingLock Store::lock(const std::string& recording) const {
  check_recording_name(recording, options_.directory);
  const std::string path = lock_path(options_.directory, recording);
  reel::UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666));
  if (!file) fail_file(errno, "making the lock of the recording", path);
  if (!lock_file(file, /*wait=*/false, path))
    throw reel::Error(reel::ErrorCode::in_use,
                      "the recording '" + recording + "' is being written by " +
                          reel::marked_text(read_text(path).substr(0, kLongestMark)) +
                          ": give this recorder another name or directory, or stop that one",
                      options_.directory);
  const std::string mark = reel::own_mark();
  // For messages only: that it cannot be written on a full disk must not keep anybody from recording.
  if (::ftruncate(file.get(), 0) == 0) (void)!::pwrite(file.get(), mark.data(), mark.size(), 0);
  return RecordingLock(std::move(file));
}

bool Store::being_recorded(const std::string& recording) const {
  const reel::UniqueFd file(::open(lock_path(options_.directory, recording).c_str(), O_RDONLY | O_CLOEXEC));
  return file && is_locked(file);
}

OpenSegment Store::begin(const SegmentRecord& record) const {
  check();
  SegmentName name;
  name.recording = record.recording;
  name.utc_ns = record.start_utc_ns;
  name.event = record.kind == SegmentClass::event;
  name.extension = record.container == "mp4" ? "mp4" : "mkv";
  make_directory(whole_path(folder_of(to_path(name))));
  for (;; ++name.number) {
    const std::string path = to_path(name);
    const std::string file = whole_path(open_path_of(path));
    if (exists(whole_path(path)) || exists(whole_path(manifest_path_of(path)))) continue;
    reel::UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (!fd && errno == EEXIST) continue;
    if (!fd) fail_file(errno, "making the next file", file);
    return {path, file, whole_path(frames_path_of(path)), std::move(fd)};
  }
}

void Store::save(const SegmentRecord& record) const {
  check();
  const std::string text = to_json(record);
  reel::write_whole_file(whole_path(manifest_path_of(record.path)), std::as_bytes(std::span(text)),
                         "the directory of recordings");
}

void Store::finish(SegmentRecord& record) const {
  const std::string file = whole_path(open_path_of(record.path));
  record.bytes = size_of(file);
  sync_file(file);
  sync_file(whole_path(frames_path_of(record.path)));
  save(record);
  sync_file(whole_path(manifest_path_of(record.path)));
  rename_new(file, whole_path(record.path));
  sync_directory(folder_of(file));
}

bool Store::remove(const Found& found, const std::string& reason) const {
  const std::string file = whole_path(found.open ? open_path_of(found.path) : found.path);
  const std::optional<std::uint64_t> bytes = size_if_there(file);
  if (!bytes) return false;
  const std::string folder = folder_of(file);
  const std::string prefix = stem_of(file).substr(folder.size() + 1) + ".";
  // The file goes last: cut short, this leaves a segment that is still known, not files that nobody knows.
  for (const std::string& name : files_of(folder, prefix)) {
    if (folder + "/" + name != file) remove_file(folder + "/" + name);
  }
  remove_file(file);
  (void)::rmdir(folder.c_str());  // refused while something is in it
  reel::log_info("removed " + found.path + " (" + reel::bytes_text(*bytes) + "): " + reason);
  return true;
}

}  // namespace record
