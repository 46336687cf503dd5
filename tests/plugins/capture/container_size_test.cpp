// Truncation is told from headers of a few bytes; nothing hostile in them may crash, hang or be believed.
#include "container_size.hpp"

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

namespace {

using capture::find_truncation;

class ContainerSize : public ::testing::Test {
 protected:
  ~ContainerSize() override { std::remove(path_.c_str()); }
  /// What is promised beyond the file's bytes; 0: no truncation.
  std::uint64_t promised(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
    const auto mismatch = find_truncation(path_);
    if (!mismatch) return 0;
    EXPECT_EQ(mismatch->actual_bytes, bytes.size());
    return mismatch->promised_bytes;
  }
  static std::string big_endian(std::uint64_t value, int count) {
    std::string bytes;
    for (int i = count; i-- > 0;) bytes += static_cast<char>(value >> (8 * i));
    return bytes;
  }
  static std::string box(std::uint32_t size, const std::string& type, std::size_t data) {
    return big_endian(size, 4) + type + std::string(data, 'x');
  }
  std::string path_ = testing::TempDir() + "reel-container-" + std::to_string(getpid());
};

const std::string kFileType = std::string(
    "\0\0\0\x10"
    "ftypisom\0\0\0\0",
    16);

TEST_F(ContainerSize, SeesNoTruncationInWholeFiles) {
  EXPECT_EQ(promised(kFileType + box(24, "moov", 16) + box(8, "mdat", 0)), 0U);
  EXPECT_EQ(promised("RIFF" + std::string("\x0c\0\0\0", 4) + std::string("WAVEfmt \0\0\0\0", 12)), 0U);
  EXPECT_EQ(promised("\x1a\x45\xdf\xa3\x81z\x18\x53\x80\x67\x84"
                     "data"),
            0U);
}

TEST_F(ContainerSize, TellsWhatTheLastBoxPromises) {
  EXPECT_EQ(promised(kFileType + box(100, "mdat", 16)), 116U);
  EXPECT_EQ(promised(kFileType + std::string("\0\0\0\1mdat", 8) + big_endian(1'000'000, 8)), 1'000'016U);
  EXPECT_EQ(promised(kFileType + "\1\2\3"), 24U);  // a box header that is cut
}

TEST_F(ContainerSize, TellsWhatRiffAndMatroskaPromise) {
  EXPECT_EQ(promised("RIFF" + std::string("\0\1\0\0", 4) + "AVI LIST"), 264U);
  EXPECT_EQ(promised("\x1a\x45\xdf\xa3\x81z\x18\x53\x80\x67\x88"
                     "data"),
            11U + 8U);
}

TEST_F(ContainerSize, BelievesNoUnknownSizes) {
  EXPECT_EQ(promised(kFileType + std::string("\0\0\0\0mdat", 8) + "rest"), 0U);  // to the end
  EXPECT_EQ(promised("RIFF\xff\xff\xff\xff"
                     "WAVEfmt "),
            0U);  // streamed
  EXPECT_EQ(promised("\x1a\x45\xdf\xa3\x81z\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff"
                     "data"),
            0U);  // live
}

TEST_F(ContainerSize, SaturatesHostileSizes) {
  EXPECT_EQ(promised(kFileType + std::string("\0\0\0\1mdat", 8) + std::string(8, '\xff')), ~std::uint64_t{0});
  EXPECT_EQ(promised(kFileType + std::string("\0\0\0\1mdat", 8) + std::string(8, '\0')), 0U);  // no progress
  EXPECT_EQ(promised("\x1a\x45\xdf\xa3\x01\xff\xff\xff\xff\xff\xff\xfe"), 0U);
  EXPECT_EQ(promised(std::string("\x1a\x45\xdf\xa3\0\0\0\0\0\0\0\0", 12)), 0U);
}

TEST_F(ContainerSize, SaysNothingOfOtherFilesNorOfNone) {
  EXPECT_EQ(promised(""), 0U);
  EXPECT_EQ(promised("f"), 0U);
  EXPECT_EQ(promised(std::string(1000, 'f')), 0U);
  EXPECT_FALSE(find_truncation("/nonexistent"));
  EXPECT_FALSE(find_truncation("/dev/null"));
}

}  // namespace
