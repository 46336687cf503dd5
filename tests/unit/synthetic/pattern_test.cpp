#include "pattern.hpp"

#include <cmath>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

namespace reel::synthetic {
namespace {

const Format kVideo = VideoFormat{PixelFormat::NV12, 64, 64, {}};
const Format kFloats = AudioFormat{SampleFormat::F32LE, 48000, 2};

std::vector<std::byte> filled(const Format& format, std::size_t bytes, std::uint64_t number) {
  std::vector<std::byte> frame(bytes);
  Pattern(format).fill(frame, number);
  return frame;
}

// Sizes around the header, a word and the table's period (65528 bytes).
constexpr std::size_t kSizes[] = {0, 1, 7, 8, 9, 15, 16, 17, 63, 4096, 65'527, 65'528, 65'529, 200'003};

TEST(Pattern, IsIntactAsItWasMadeWhateverTheSize) {
  for (const Format& format : {kVideo, kFloats}) {
    for (const std::size_t bytes : kSizes) {
      for (const std::uint64_t number : {0ul, 1ul, 4711ul, ~0ul}) {
        const Verdict verdict = Pattern(format).check(filled(format, bytes, number), number);
        EXPECT_TRUE(verdict.intact) << bytes << " bytes, number " << number << ", first wrong "
                                    << verdict.first_wrong;
        EXPECT_EQ(verdict.number, number);
      }
    }
  }
}

TEST(Pattern, NoticesEveryWrongByte) {
  for (const std::size_t bytes : {std::size_t{13}, std::size_t{1001}, std::size_t{66'003}}) {
    std::vector<std::byte> frame = filled(kVideo, bytes, 5);
    const std::size_t step = bytes > 2000 ? 97 : 1;
    for (std::size_t place = 0; place < bytes; place += step) {
      frame[place] ^= std::byte{0x10};
      const Verdict verdict = Pattern(kVideo).check(frame, 5);
      EXPECT_FALSE(verdict.intact) << "byte " << place << " of " << bytes;
      if (place >= 16) {
        EXPECT_EQ(verdict.first_wrong, place);
      }
      frame[place] ^= std::byte{0x10};
    }
    EXPECT_TRUE(Pattern(kVideo).check(frame, 5).intact);
  }
}

TEST(Pattern, NoticesAnotherFramesBytesBehindItsOwnNumber) {
  std::vector<std::byte> frame = filled(kVideo, 6144, 7);
  const std::vector<std::byte> other = filled(kVideo, 6144, 8);
  std::memcpy(frame.data() + 4096, other.data() + 4096, 64);
  const Verdict verdict = Pattern(kVideo).check(frame, 7);
  EXPECT_FALSE(verdict.intact);
  EXPECT_EQ(verdict.first_wrong, 4096u);
}

TEST(Pattern, NoticesThatItIsNotTheFrameItIsSaidToBe) {
  EXPECT_FALSE(Pattern(kVideo).check(filled(kVideo, 6144, 7), 8).intact);
  EXPECT_FALSE(Pattern(kVideo).check(filled(kVideo, 13, 7), 8).intact);
}

TEST(Pattern, NoticesACutFrame) {
  std::vector<std::byte> frame = filled(kVideo, 6144, 7);
  frame.resize(3072);
  EXPECT_FALSE(Pattern(kVideo).check(frame, 7).intact);
}

TEST(Pattern, RepeatsNothingFromOneRowOrFrameToTheNext) {
  const std::vector<std::byte> frame = filled(kVideo, 200'003, 7);
  const std::vector<std::byte> next = filled(kVideo, 200'003, 8);
  for (std::size_t place = 64; place + 8 < frame.size(); place += 8)
    ASSERT_NE(std::memcmp(frame.data() + place, next.data() + place, 8), 0) << place;
  ASSERT_NE(std::memcmp(frame.data() + 4096, frame.data() + 4096 + 1920, 1920), 0);
}

TEST(Pattern, HasNumbersAsItsFloatSamples) {
  const std::vector<std::byte> frame = filled(kFloats, 8192, 3);
  for (std::size_t place = 0; place < frame.size(); place += sizeof(float)) {
    float sample = 0;
    std::memcpy(&sample, frame.data() + place, sizeof sample);
    ASSERT_TRUE(std::isfinite(sample) && std::abs(sample) < 0.5F) << sample << " at " << place;
  }
}

}  // namespace
}  // namespace reel::synthetic
