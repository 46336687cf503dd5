#include <reel/base/whole_file.hpp>

#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <reel_test/expect_error.hpp>
#include <reel_test/scratch_dir.hpp>
#include <reel_test/short_files.hpp>

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
    const reel_test::ShortFiles limit(10);
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

TEST(WholeFile, IsLookedAtBeforehandAndNothingIsLeft) {
  const reel_test::ScratchDir scratch;
  check_whole_file(scratch.file("a"), "FILE");
  EXPECT_EQ(files_in(scratch.path()), 0u);
  write(scratch.file("a"), "there");
  check_whole_file(scratch.file("a"), "FILE");
  EXPECT_EQ(scratch.read("a"), "there");
  for (const std::string& path : {scratch.path(), std::string("/dev/null")})
    reel_test::expect_error(ErrorCode::io, {"something else than a file", "set FILE to another place"},
                            [&] { check_whole_file(path, "FILE"); });
  reel_test::expect_error(ErrorCode::io, {"creating the file", "set FILE"},
                          [&] { check_whole_file(scratch.file("no/such/place"), "FILE"); });
}

}  // namespace
}  // namespace reel
