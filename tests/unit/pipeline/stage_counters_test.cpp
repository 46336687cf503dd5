#include "stage_counters.hpp"

#include <gtest/gtest.h>

namespace reel {
namespace {

TEST(StageCounters, MoveWithFramesThatArePassedOverToo) {
  const StagePageMapping mapping = StagePageMapping::create();
  StagePage& page = mapping.page();
  page.input_count.store(1);
  page.output_count.store(1);
  page.inputs[0].frames.store(3);
  page.inputs[0].skipped.store(40);
  page.outputs[0].frames.store(500);
  EXPECT_EQ(frames_moved(page), 543u);
}

}  // namespace
}  // namespace reel
