// reel_bench: figures of the data plane as ratios to a floor measured in the same run, as a table. Asserts
// nothing about time.
#include "bench.hpp"
#include "process_pair.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace {

using reel_bench::Row;

constexpr struct {
  const char* name;
  void (*measure)(const reel_bench::Scale&, reel_bench::Rows&);
} kMeasurements[] = {
    {"spinning", reel_bench::measure_spinning_handoff},
    {"sleeping", reel_bench::measure_sleeping_handoff},
    {"copy", reel_bench::measure_copy_and_hash},
    {"unpaced", reel_bench::measure_unpaced_writer},
    {"memory", reel_bench::measure_memory},
};

int usage(std::FILE* out, int status) {
  std::fputs(
      "usage: reel_bench [--smoke] [NAME...]\n\n"
      "  --smoke  a few repetitions of everything: shows that it runs, its figures mean nothing\n"
      "  NAME     spinning, sleeping, copy, unpaced, memory; all of them without any\n\n"
      "Example: nice -n -15 reel_bench spinning sleeping\n",
      out);
  return status;
}

std::string target_of(const Row& row) {
  char text[64] = "";
  const auto verdict = [](bool met) { return met ? "met" : "missed"; };
  if (row.most_ratio)
    std::snprintf(text, sizeof text, "at most %.1f: %s", *row.most_ratio,
                  verdict(row.ours <= *row.most_ratio * row.floor));
  if (row.most_above)
    std::snprintf(text, sizeof text, "floor + %.0f at most: %s", *row.most_above,
                  verdict(row.ours <= row.floor + *row.most_above));
  return text;
}

void print(const reel_bench::Rows& rows) {
  std::printf("%-42s %12s %12s %-9s %7s  %s\n", "", "ours", "floor", "", "ratio", "target");
  for (const Row& row : rows) {
    std::printf("%-42s %12.1f %12.1f %-9s %7.2f  %s\n", row.name.c_str(), row.ours, row.floor,
                row.unit.c_str(), row.ours / row.floor, target_of(row).c_str());
  }
}

// The streams of a run are nobody else's.
class RuntimeDirectory {
 public:
  RuntimeDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "reel-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    path_ = name;
    ::setenv("REEL_RUNTIME_DIR", name.c_str(), 1);
  }
  ~RuntimeDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  RuntimeDirectory(const RuntimeDirectory&) = delete;
  RuntimeDirectory& operator=(const RuntimeDirectory&) = delete;

 private:
  std::filesystem::path path_;
};

}  // namespace

int main(int argc, char** argv) {
  reel_bench::Scale scale;
  std::vector<std::string_view> names;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--smoke")
      scale = reel_bench::kSmoke;
    else if (argument == "-h" || argument == "--help")
      return usage(stdout, 0);
    else if (std::ranges::any_of(kMeasurements, [&](const auto& one) { return argument == one.name; }))
      names.push_back(argument);
    else
      return usage(stderr, 2);
  }
  try {
    const RuntimeDirectory directory;
    if (!reel_bench::several_processors())
      std::puts("one processor: two processes cannot spin at each other, the hand-off figures mean nothing");
    reel_bench::Rows rows;
    for (const auto& [name, measure] : kMeasurements) {
      if (names.empty() || std::ranges::find(names, name) != names.end()) measure(scale, rows);
    }
    print(rows);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "reel_bench: %s\n", error.what());
    return 1;
  }
}
