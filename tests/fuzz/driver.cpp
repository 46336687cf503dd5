// Runs a fuzzer without libFuzzer: every seed as it is, then a fixed sequence of mutations, the same on every
// machine.
//   fuzz_caps [--runs N] [FILE or FOLDER of seeds]...
// A failure leaves the input in "crash-input" in the current folder; give that file as the only argument to
// see it again.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz.hpp"

// Of the sanitizers' runtime, where there is one: they end the process without a signal.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

using Input = std::vector<std::uint8_t>;

constexpr std::size_t kMaxInputBytes = 16 * 1024;
constexpr std::size_t kPoolInputs = 512;

// Read by a signal handler.
const Input* running = nullptr;

void keep_input() {
  if (!running) return;
  const int fd = ::open("crash-input", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return;
  constexpr std::string_view kSaid = "the input is in crash-input\n";
  if (::write(fd, running->data(), running->size()) >= 0)
    (void)!::write(STDERR_FILENO, kSaid.data(), kSaid.size());
  ::close(fd);
}

void keep_input_and_die(int signal) {
  keep_input();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void keep_inputs_that_fail() {
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTERM})
    std::signal(signal, keep_input_and_die);
  if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(keep_input);
}

void run(const Input& input) {
  // An allocation of its own size, so that a sanitizer sees one byte too far.
  const Input exact(input.begin(), input.end());
  running = &exact;
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
  running = nullptr;
}

class Mutator {
 public:
  explicit Mutator(std::vector<Input> seeds) : pool_(std::move(seeds)) {
    if (pool_.empty()) pool_.emplace_back();
    seed_count_ = pool_.size();
  }

  Input next() {
    Input input = pool_[below(pool_.size())];
    for (std::size_t changes = 1 + below(6); changes > 0; --changes) change(input);
    if (input.size() > kMaxInputBytes) input.resize(kMaxInputBytes);
    // Some go on to be changed again; the seeds stay.
    if (pool_.size() < kPoolInputs)
      pool_.push_back(input);
    else if (below(4) == 0 && seed_count_ < kPoolInputs)
      pool_[seed_count_ + below(kPoolInputs - seed_count_)] = input;
    return input;
  }

 private:
  // Not std::uniform_int_distribution, whose numbers differ between libraries.
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(random_() % limit); }

  void change(Input& input) {
    const std::size_t kind = below(7);
    if (input.empty() || kind == 0) return insert(input);
    const std::size_t at = below(input.size());
    const auto from = input.begin() + static_cast<std::ptrdiff_t>(at);
    switch (kind) {
      case 1: *from ^= static_cast<std::uint8_t>(1u << below(8)); break;
      case 2: *from = static_cast<std::uint8_t>(random_()); break;
      case 3: put_number(input, at); break;
      case 4: input.erase(from, from + static_cast<std::ptrdiff_t>(1 + below(input.size() - at))); break;
      case 5: input.resize(at); break;
      default: overwrite(input, at); break;
    }
  }

  // A piece of any input of the pool.
  Input piece() {
    const Input& other = pool_[below(pool_.size())];
    if (other.empty()) return {static_cast<std::uint8_t>(random_())};
    const std::size_t begin = below(other.size());
    const std::size_t size = 1 + below(std::min<std::size_t>(64, other.size() - begin));
    const auto from = other.begin() + static_cast<std::ptrdiff_t>(begin);
    return {from, from + static_cast<std::ptrdiff_t>(size)};
  }

  void insert(Input& input) {
    const Input added = piece();
    input.insert(input.begin() + static_cast<std::ptrdiff_t>(below(input.size() + 1)), added.begin(),
                 added.end());
  }

  void overwrite(Input& input, std::size_t at) {
    const Input added = piece();
    std::copy_n(added.begin(), std::min(added.size(), input.size() - at),
                input.begin() + static_cast<std::ptrdiff_t>(at));
  }

  // A number at the edge of something, as 1, 2, 4 or 8 bytes.
  void put_number(Input& input, std::size_t at) {
    constexpr std::uint64_t kEdges[] = {
        0,       1,          0x7F,       0x80,       0xFF,        0x7FFF,     0x8000,     0xFFFF,
        0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x100000000, 1ull << 63, ~0ull >> 1, ~0ull};
    std::uint64_t number = kEdges[below(std::size(kEdges))];
    if (below(2) == 0) number = input.size() + below(17) - 8;
    const std::size_t bytes = std::min(std::size_t{1} << below(4), input.size() - at);
    std::memcpy(input.data() + at, &number, bytes);
  }

  std::mt19937_64 random_{1};
  std::vector<Input> pool_;
  std::size_t seed_count_ = 0;
};

Input contents_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    std::exit(2);
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

// The files of `path` in the order of their names, or the file that it is.
std::vector<std::filesystem::path> files_of(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) return {path};
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(path)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  unsigned long runs = 0;
  std::vector<Input> seeds;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--runs" && i + 1 < argc) {
      runs = std::strtoul(argv[++i], nullptr, 10);
      continue;
    }
    for (const auto& file : files_of(argv[i])) seeds.push_back(contents_of(file));
  }
  keep_inputs_that_fail();
  for (const Input& seed : seeds) run(seed);
  const std::size_t seed_count = seeds.size();
  Mutator mutator(std::move(seeds));
  for (unsigned long i = 0; i < runs; ++i) run(mutator.next());
  std::printf("%zu seeds and %lu mutations ran\n", seed_count, runs);
  return 0;
}
