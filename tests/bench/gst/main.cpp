// reel_gst_bench: frames through shmsink and shmsrc against frames through reelsink and reelsrc, in turns,
// between the same kinds of processes. Prints tables of medians; asserts nothing about time.
#include "gst_bench.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <functional>
#include <map>
#include <stdexcept>
#include <string_view>

#include <gst/gst.h>

#include <reel/base/checksum.hpp>
#include <reel/base/clock.hpp>

namespace reel_gst_bench {
namespace {

struct Scale {
  int rounds = 5;
  unsigned warm_up = 3 * kSlots;  // every slot has been touched
  unsigned paced_frames = 180;
  unsigned unpaced_frames = 1800;
};
constexpr Scale kSmoke{.rounds = 1, .warm_up = 4, .paced_frames = 6, .unpaced_frames = 20};

double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const auto place = static_cast<std::size_t>(share * static_cast<double>(values.size()));
  return values[std::min(place, values.size() - 1)];
}

// The floor, and the price of a checksum, over as many frames as there are slots, in turns: none is in the
// caches when its turn comes.
struct Floor {
  double fill_us = 0, hash_us = 0;
};
Floor floor_of(std::size_t frame_bytes) {
  std::vector<std::byte> frames(frame_bytes * kSlots, std::byte{1});
  std::vector<double> fill, hash;
  std::uint64_t sum = 0;
  const auto each = [&](std::vector<double>& times, auto&& work) {
    for (unsigned i = 0; i < kSlots; ++i) {
      const std::int64_t begin_ns = reel::monotonic_ns();
      work(frames.data() + i * frame_bytes, i);
      times.push_back(static_cast<double>(reel::monotonic_ns() - begin_ns) / 1000);
    }
  };
  for (int turn = 0; turn < 3; ++turn) {
    each(fill, [&](std::byte* frame, unsigned i) { std::memset(frame, static_cast<int>(i), frame_bytes); });
    each(hash, [&](const std::byte* frame, unsigned) { sum ^= reel::checksum({frame, frame_bytes}); });
  }
  if (sum == 1) std::puts("");  // so that the sums are made
  return {quantile(fill, 0.5), quantile(hash, 0.5)};
}

using Runs = std::map<Carrier, std::vector<Measured>>;

double median_of(const std::vector<Measured>& runs, const std::function<double(const Measured&)>& value) {
  std::vector<double> values;
  for (const Measured& run : runs) values.push_back(value(run));
  return quantile(values, 0.5);
}

struct Row {
  const char* name;
  std::function<double(const Measured&)> value;
  bool more_is_better = false;
};

// Both pairs bare, and both with each frame's XXH3 at both ends: what that costs is the second less the
// first.
void print_row(const Row& row, const Runs& runs) {
  std::printf("  %-34s", row.name);
  for (const auto& [their_carrier, our_carrier] :
       {std::pair(Carrier::shm, Carrier::reel), std::pair(Carrier::shm_hashed, Carrier::reel_hashed)}) {
    const double theirs = median_of(runs.at(their_carrier), row.value);
    const double ours = median_of(runs.at(our_carrier), row.value);
    const bool ahead = row.more_is_better ? ours >= theirs : ours <= theirs;
    std::printf(" %10.1f %10.1f %7.2f %-6s", theirs, ours, ours / theirs, ahead ? "ahead" : "BEHIND");
  }
  std::puts("");
}

void print(const Scenario& scenario, const Runs& runs, const Floor& floor) {
  std::printf("%ux%u NV12, %s, %u reader%s%s   (fill alone %.0f us, %.0f frames/s; hash %.0f us)\n",
              scenario.width, scenario.height, scenario.paced ? "60 fps" : "unpaced", scenario.readers,
              scenario.readers == 1 ? "" : "s", scenario.looked_at ? " that read" : "", floor.fill_us,
              1e6 / floor.fill_us, floor.hash_us);
  std::printf("  %-34s %10s %10s %7s %-6s %10s %10s %7s\n", "", "shm", "reel", "ratio", "", "shm + hash",
              "reel, full", "ratio");
  if (scenario.paced) {
    print_row({"latency, median (us)", [](const Measured& run) { return quantile(run.latencies, 0.5); }},
              runs);
    print_row(
        {"latency, 99th percentile (us)", [](const Measured& run) { return quantile(run.latencies, 0.99); }},
        runs);
  } else {
    print_row({"frames per second", [](const Measured& run) { return run.frames_per_second; }, true}, runs);
  }
  print_row({"CPU of the sender per frame (us)", [](const Measured& run) { return run.sender_cpu; }}, runs);
  print_row({"CPU of a reader per frame (us)", [](const Measured& run) { return run.reader_cpu; }}, runs);
  std::uint64_t copied = 0;
  for (const auto& [carrier, all] : runs)
    for (const Measured& run : all) copied += run.copied;
  if (copied != 0) std::printf("  reelsink copied %lu frames: it had no slot for them in time\n", copied);
  std::fflush(stdout);
}

void compare(const Scenario& scenario, int rounds, const std::string& place) {
  Runs runs;
  const Floor floor = floor_of(scenario.frame_bytes());
  constexpr std::size_t kCount = std::size(kCarriers);
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < kCount; ++i) {
      const Carrier carrier = kCarriers[(i + static_cast<std::size_t>(round)) % kCount];
      runs[carrier].push_back(measure(carrier, scenario, place));
    }
  }
  print(scenario, runs, floor);
}

// Sockets, streams and the registry of a run are nobody else's.
class Place {
 public:
  Place() {
    path_ = (std::filesystem::temp_directory_path() / "reel-gst-bench-XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot make " + path_);
    ::setenv("REEL_RUNTIME_DIR", path_.c_str(), 1);
    ::setenv("GST_REGISTRY", (path_ + "/registry").c_str(), 1);
    ::setenv("GST_PLUGIN_PATH", REEL_ELEMENTS_DIR, 1);
  }
  ~Place() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

int usage(std::FILE* out, int status) {
  std::fputs(
      "usage: reel_gst_bench [--smoke] [--rounds N] [--read] [NAME...]\n\n"
      "  --smoke     a few frames of everything: shows that it runs, its figures mean nothing\n"
      "  --rounds N  interleaved runs of each (5)\n"
      "  --read      readers read every byte of each frame, behind the moment that its latency is taken\n"
      "  NAME        1080p, 4k, paced, unpaced, 1, 4 (readers): only these of their kind\n\n"
      "Example: nice -n -15 reel_gst_bench 1080p paced 1\n",
      out);
  return status;
}

bool chosen(const std::vector<std::string_view>& names, std::string_view name, std::string_view other) {
  const bool other_named = std::ranges::find(names, other) != names.end();
  return !other_named || std::ranges::find(names, name) != names.end();
}

int compare_all(const Scale& scale, const std::vector<std::string_view>& names, bool looked_at) {
  const Place place;
  gst_init(nullptr, nullptr);  // writes the registry, which is then there for every process
  const bool shm_there = gst_registry_check_feature_version(gst_registry_get(), "shmsink", 1, 20, 0) != FALSE;
  if (!shm_there) {
    std::puts("no shmsink to compare with (Debian: gstreamer1.0-plugins-bad)");
    return 77;
  }
  for (const bool paced : {true, false}) {
    if (!chosen(names, paced ? "paced" : "unpaced", paced ? "unpaced" : "paced")) continue;
    for (const bool large : {false, true}) {
      if (!chosen(names, large ? "4k" : "1080p", large ? "1080p" : "4k")) continue;
      for (const unsigned readers : {1u, 4u}) {
        if (!chosen(names, readers == 1 ? "1" : "4", readers == 1 ? "4" : "1")) continue;
        compare({large ? 3840u : 1920u, large ? 2160u : 1080u, paced, readers, looked_at, scale.warm_up,
                 paced ? scale.paced_frames : scale.unpaced_frames},
                scale.rounds, place.path());
      }
    }
  }
  return 0;
}

int run_role(char** argv) {
  const auto number = [&](int index) { return static_cast<unsigned>(std::stoul(argv[index])); };
  const auto carrier = static_cast<Carrier>(number(2));
  const Scenario scenario{number(3),      number(4), number(5) != 0, number(6),
                          number(7) != 0, number(8), number(9)};
  gst_init(nullptr, nullptr);
  if (std::string_view(argv[1]) == "--sender") return run_sender(carrier, scenario, argv[10]);
  return run_reader(carrier, scenario, argv[10], static_cast<int>(number(11)));
}

int run(int argc, char** argv) {
  if (argc >= 11 && (std::string_view(argv[1]) == "--sender" || std::string_view(argv[1]) == "--reader"))
    return run_role(argv);
  Scale scale;
  bool looked_at = false;
  std::vector<std::string_view> names;
  static constexpr std::string_view kNames[] = {"1080p", "4k", "paced", "unpaced", "1", "4"};
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--smoke")
      scale = kSmoke;
    else if (argument == "--rounds" && i + 1 < argc)
      scale.rounds = std::max(1, std::atoi(argv[++i]));
    else if (argument == "--read")
      looked_at = true;
    else if (argument == "-h" || argument == "--help")
      return usage(stdout, 0);
    else if (std::ranges::find(kNames, argument) != std::end(kNames))
      names.push_back(argument);
    else
      return usage(stderr, 2);
  }
  return compare_all(scale, names, looked_at);
}

}  // namespace
}  // namespace reel_gst_bench

int main(int argc, char** argv) {
  try {
    return reel_gst_bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "reel_gst_bench: %s\n", error.what());
    return 1;
  }
}
