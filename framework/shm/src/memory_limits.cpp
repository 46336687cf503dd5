// Files and their formats: proc_pid_mountinfo(5), cgroups(7), proc_meminfo(5), and the kernel's
// cgroup-v1/memory.rst and cgroup-v2.rst.
#include "memory_sources.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <reel/base/text.hpp>
#include <reel/shm/memory_limits.hpp>

namespace reel {

namespace {

/// The names that the two versions of the memory controller give to the same things.
struct Controller {
  const char* file_system;
  const char* limit;
  const char* usage;
  const char* inactive_cache;  // keys of memory.stat
  const char* active_cache;
};

constexpr Controller kVersion1 = {"cgroup", "memory.limit_in_bytes", "memory.usage_in_bytes",
                                  "total_inactive_file", "total_active_file"};
constexpr Controller kVersion2 = {"cgroup2", "memory.max", "memory.current", "inactive_file", "active_file"};

/// Where a hierarchy can be seen: its group `seen` is the folder `folder`.
struct Mount {
  std::string seen;
  std::string folder;
};

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

/// The first word of a file as a number; nullopt for "max" as well.
std::optional<std::uint64_t> number_in(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  if (!(file >> word)) return std::nullopt;
  return number(word);
}

/// The number after `key` in a file of "key value" or "key: value" lines.
std::optional<std::uint64_t> value_of(const std::string& path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    std::string value;
    if (words >> name >> value && name == key) return number(value);
  }
  return std::nullopt;
}

bool has_item(std::string_view list, std::string_view item) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (list.substr(0, comma) == item) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

/// The path of this process's group: the line "0::PATH" (version 2) or "N:controllers:PATH" (version 1).
std::optional<std::string> group_of(const std::string& root, const Controller& controller) {
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string_view controllers = std::string_view(line).substr(first + 1, second - first - 1);
    const bool ours = &controller == &kVersion2 ? line.starts_with("0::") : has_item(controllers, "memory");
    if (ours) return line.substr(second + 1);
  }
  return std::nullopt;
}

/// mountinfo writes blanks and backslashes as \ooo.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 4, value, 8).ec == std::errc()) {
      plain += static_cast<char>(value);
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::optional<Mount> mount_of(const std::string& root, const Controller& controller) {
  std::ifstream file(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream front(line.substr(0, dash));
    std::istringstream back(line.substr(dash + 3));
    std::string id, parent, device, seen, folder, type, source, options;
    if (!(front >> id >> parent >> device >> seen >> folder) || !(back >> type >> source >> options))
      continue;
    if (type != controller.file_system) continue;
    if (&controller == &kVersion1 && !has_item(options, "memory")) continue;
    return Mount{unescaped(seen), root + unescaped(folder)};
  }
  return std::nullopt;
}

/// The group's path below the mount; empty where the mount shows the group itself, or something the process
/// cannot place.
std::string path_below(const Mount& mount, const std::string& group) {
  std::string path = group;
  if (mount.seen != "/") {
    const bool inside = group == mount.seen || group.starts_with(mount.seen + "/");
    path = inside ? group.substr(mount.seen.size()) : "";
  }
  return path.starts_with("/") && path != "/" && !path.starts_with("/..") ? path : "";
}

std::optional<MemoryRoom> room_of_group(const std::string& folder, const std::string& name,
                                        const Controller& controller) {
  const auto limit = number_in(folder + "/" + controller.limit);
  const auto usage = number_in(folder + "/" + controller.usage);
  constexpr std::uint64_t kNoLimit = std::uint64_t{1}
                                     << 62;  // version 1 writes "none" as the largest number of pages
  if (!limit || !usage || *limit >= kNoLimit) return std::nullopt;
  const std::string stat = folder + "/memory.stat";
  // Cached files are given back before anything is killed; shared memory is not among these two.
  const std::uint64_t cache = value_of(stat, controller.inactive_cache).value_or(0) +
                              value_of(stat, controller.active_cache).value_or(0);
  const std::uint64_t used = *usage - std::min(cache, *usage);
  return MemoryRoom{*limit - std::min(used, *limit),
                    fmt::format("memory cgroup {} ({} {}, {} used)", name, controller.limit,
                                bytes_text(*limit), bytes_text(used))};
}

void keep_tighter(std::optional<MemoryRoom>& tightest, std::optional<MemoryRoom> other) {
  if (other && (!tightest || other->bytes < tightest->bytes)) tightest = std::move(other);
}

std::optional<MemoryRoom> room_of_groups(const std::string& root, const Controller& controller) {
  const auto group = group_of(root, controller);
  const auto mount = mount_of(root, controller);
  if (!group || !mount) return std::nullopt;
  std::optional<MemoryRoom> tightest;
  std::string path = path_below(*mount, *group);
  for (;;) {
    keep_tighter(tightest,
                 room_of_group(mount->folder + path, path.empty() ? mount->seen : path, controller));
    if (path.empty()) return tightest;
    path.erase(path.rfind('/'));
  }
}

std::optional<MemoryRoom> room_of_system(const std::string& root) {
  const auto kilobytes = value_of(root + "/proc/meminfo", "MemAvailable:");
  if (!kilobytes) return std::nullopt;
  return MemoryRoom{*kilobytes * 1024, "the system's available memory"};
}

}  // namespace

std::optional<MemoryRoom> memory_room_below(const std::string& root) {
  std::optional<MemoryRoom> tightest = room_of_system(root);
  keep_tighter(tightest, room_of_groups(root, kVersion1));
  keep_tighter(tightest, room_of_groups(root, kVersion2));
  return tightest;
}

std::optional<MemoryRoom> memory_room() {
  return memory_room_below("");
}

}  // namespace reel
