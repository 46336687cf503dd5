#include <gmock/gmock.h>
#include <reel_test/expect_error.hpp>

#include <reel/shm/backend.hpp>
#include <reel/shm/segment.hpp>

namespace {

using reel::SegmentKind;

TEST(SegmentKindNames, AreReadBackAsWritten) {
  for (const SegmentKind kind : reel::segment_kinds())
    EXPECT_EQ(reel::segment_kind_from(reel::to_string(kind)), kind);
  EXPECT_EQ(reel::segment_kind_from("MEMFD"), std::nullopt);
  EXPECT_EQ(reel::segment_kind_from(""), std::nullopt);
}

TEST(SegmentBackend, IsOfTheKindAskedFor) {
  for (const SegmentKind kind : reel::segment_kinds()) EXPECT_EQ(reel::segment_backend(kind).kind(), kind);
}

TEST(SegmentBackend, OfANumberFromAPeerIsRefusedWhenUnknown) {
  reel_test::expect_error(reel::ErrorCode::unsupported, {"kind 77", "memfd"},
                          [] { (void)reel::segment_backend(static_cast<SegmentKind>(77)); });
}

}  // namespace
