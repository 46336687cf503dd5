// What modules and the loader must agree on, as kPluginAbi numbers it. Another size here means that modules
// built before would read wrong places: raise kPluginAbi, then write down the sizes it stands for.
#include <cstddef>

#include <gtest/gtest.h>

#include <reel/base/error.hpp>
#include <reel/stage/plugin.hpp>

namespace reel {
namespace {

static_assert(kPluginAbi == 5, "these are the sizes of another ABI: measure them anew");

struct Size {
  const char* type;
  std::size_t is;
  std::size_t was;
};

constexpr Size kSizes[] = {
    {"PluginDescriptor", sizeof(PluginDescriptor), 80},
    {"PortSpec", sizeof(PortSpec), 32},
    {"OptionSpec", sizeof(OptionSpec), 40},
    {"OptionValue", sizeof(OptionValue), 96},
    {"Options", sizeof(Options), 48},
    {"Stage", sizeof(Stage), 8},
    {"StageContext", sizeof(StageContext), 8},
    {"FrameSet", sizeof(FrameSet), 16},
    {"Input", sizeof(Input), 8},
    {"Output", sizeof(Output), 8},
    {"FrameReader", sizeof(FrameReader), 8},
    {"FrameWriter", sizeof(FrameWriter), 8},
    {"Frame", sizeof(Frame), 280},
    {"Loan", sizeof(Loan), 208},
    {"HeldSlot<ReaderEpoch>", sizeof(HeldSlot<ReaderEpoch>), 24},
    {"HeldSlot<WriterEpoch>", sizeof(HeldSlot<WriterEpoch>), 24},
    {"PlaneView", sizeof(PlaneView), 24},
    {"ConstPlaneView", sizeof(ConstPlaneView), 24},
    {"FrameInfo", sizeof(FrameInfo), 56},
    {"SideDataView", sizeof(SideDataView), 16},
    {"SideDataWriter", sizeof(SideDataWriter), 24},
    {"Detection", sizeof(Detection), 56},
    {"MotionScore", sizeof(MotionScore), 4},
    {"AudioLevel", sizeof(AudioLevel), 68},
    {"Format", sizeof(Format), 120},
    {"VideoFormat", sizeof(VideoFormat), 20},
    {"AudioFormat", sizeof(AudioFormat), 12},
    {"EncodedFormat", sizeof(EncodedFormat), 56},
    {"BytesFormat", sizeof(BytesFormat), 24},
    {"VideoLayout", sizeof(VideoLayout), 112},
    {"Plane", sizeof(Plane), 24},
    {"Fraction", sizeof(Fraction), 8},
    {"Segment", sizeof(Segment), 56},
    {"StageMetrics", sizeof(StageMetrics), 48},
    {"Counter", sizeof(Counter), 8},
    {"Gauge", sizeof(Gauge), 8},
    {"Error", sizeof(Error), 88},
};

TEST(PluginAbi, IsRaisedWithTheTypesThatCross) {
#if defined(__LP64__) && defined(__GLIBCXX__)
  for (const Size& size : kSizes) EXPECT_EQ(size.is, size.was) << size.type;
#else
  GTEST_SKIP() << "the sizes are those of 64 bits and libstdc++";
#endif
}

}  // namespace
}  // namespace reel
