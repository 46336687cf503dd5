#include <reel/base/whole_file.hpp>

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <reel_test/expect_error.hpp>
#include <reel_test/scratch_dir.hpp>

#include <reel/base/error.hpp>

namespace reel {
namespace {

void write(const std::string& path, const std::string& text) {
  write_whole_file(path, std::as_bytes(std::span(text)), "FILE");
}

std::size_t files_in(const std::string& directory) {
  const std::filesystem::directory_iterator files(directory);
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

// Longer writes fail while it lives, as on a full disk.
class ShortFiles {
 public:
  explicit ShortFiles(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &before_), 0);
    const rlimit limit{bytes, before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  ShortFiles(const ShortFiles&) = delete;
  ShortFiles& operator=(const ShortFiles&) = delete;
  ~ShortFiles() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST(WholeFile, ReplacesWhatIsThere) {
  const reel_test::ScratchDir scratch;
  const std::string path = scratch.file("a");
  write(path, "first");
  write(path, "2nd");
  EXPECT_EQ(reel_test::read_file(path), "2nd");
  EXPECT_EQ(files_in(scratch.path()), 1u);
}

TEST(WholeFile, IsAsItWasWhenTheNewOneDoesNotFit) {
  const reel_test::ScratchDir scratch;
  const std::string path = scratch.file("a");
  write(path, "first");
  {
    const ShortFiles limit(10);
    reel_test::expect_error(ErrorCode::io, {path, "writing", "File too large"},
                            [&] { write(path, std::string(100, 'x')); });
  }
  EXPECT_EQ(reel_test::read_file(path), "first");
  EXPECT_EQ(files_in(scratch.path()), 1u) << "the part that was written is gone";
}

TEST(WholeFile, SaysWhereThereIsNoPlaceForIt) {
  const reel_test::ScratchDir scratch;
  reel_test::expect_error(ErrorCode::io, {"/none/a", "creating", "No such file", "set FILE to a place"},
                          [&] { write(scratch.file("none/a"), "x"); });
  std::filesystem::create_directory(scratch.file("d"));
  reel_test::expect_error(ErrorCode::io, {"/d", "renaming"}, [&] { write(scratch.file("d"), "x"); });
  EXPECT_EQ(files_in(scratch.path()), 1u);
}

}  // namespace
}  // namespace reel
