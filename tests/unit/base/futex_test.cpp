// Sleepers of words in shared memory, woken by one call.
#include <reel/base/futex.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace reel {
namespace {

using namespace std::chrono_literals;

using Word = std::atomic<std::uint32_t>;
constexpr std::int64_t kLongNs = 60'000'000'000;
constexpr auto kWatchdog = 30s;

// Two words that lie in memory as streams do.
class SharedWords {
 public:
  SharedWords()
      : memory_(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)),
        words_(new (memory_) std::array<Word, 2>()) {}
  SharedWords(const SharedWords&) = delete;
  SharedWords& operator=(const SharedWords&) = delete;
  ~SharedWords() { ::munmap(memory_, 4096); }
  Word& operator[](std::size_t index) { return (*words_)[index]; }

 private:
  void* memory_;
  std::array<Word, 2>* words_;
};

bool sleeps(int thread) {
  std::ifstream stat("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string text;
  std::getline(stat, text);
  const std::size_t name_end = text.rfind(')');
  return name_end != std::string::npos && text.size() > name_end + 2 && text[name_end + 2] == 'S';
}

// Sleeps once on a word that it has seen to be as it is.
struct Sleeper {
  explicit Sleeper(Word& word)
      : thread([this, &word] {
          id.store(::gettid(), std::memory_order_release);
          futex_wait(word, word.load(std::memory_order_acquire), kLongNs, FutexScope::shared);
          awake.store(true, std::memory_order_release);
        }) {}
  ~Sleeper() { thread.join(); }
  std::atomic<int> id{0};
  std::atomic<bool> awake{false};
  std::thread thread;
};

template <typename Condition>
bool comes_true(Condition&& condition) {
  const auto until = std::chrono::steady_clock::now() + kWatchdog;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

TEST(Futex, WakesTheSleepersOfTwoWordsWhateverTheyHold) {
  for (const std::uint32_t value : {0u, 1u, 1023u, 1024u, 2047u, 2048u, 0x7fffffffu, 0x80000400u, ~0u}) {
    SharedWords words;
    words[1].store(value);
    Sleeper first(words[0]), second(words[1]), another(words[1]);
    for (Sleeper* sleeper : {&first, &second, &another})
      EXPECT_TRUE(comes_true([&] { return sleeper->id.load() != 0 && sleeps(sleeper->id.load()); })) << value;
    futex_wake_both(words[0], words[1]);
    for (Sleeper* sleeper : {&first, &second, &another})
      EXPECT_TRUE(comes_true([&] { return sleeper->awake.load(); })) << value;
    EXPECT_EQ(words[1].load(), value);
    // Nobody sleeps on where the above failed.
    for (const std::size_t index : {0u, 1u}) futex_wake(words[index], FutexScope::shared);
  }
}

}  // namespace
}  // namespace reel
