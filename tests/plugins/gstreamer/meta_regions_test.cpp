// Detections and regions of interest, each way and back again.
#include <cmath>
#include <cstring>
#include <limits>

#include <gmock/gmock.h>
#include <gst/video/video.h>

#include "pipelines.hpp"
#include "side_data.hpp"

#include <reel/gst/pointers.hpp>

namespace gstreamer_test {
namespace {

using reel::Detection;
using reel::Format;
using reel::SideDataView;
using reel::SideDataWriter;
using reel::gst::LostMetas;
template <typename Object>
using Ptr = reel::gst::Ptr<Object>;

class Regions : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { set_up(); }
  Regions() : writer_(std::as_writable_bytes(std::span(place_))) {}

  static Ptr<GstBuffer> picture() {
    return Ptr<GstBuffer>(gst_buffer_new_allocate(nullptr, 64 * 64 * 3, nullptr));
  }
  static Detection detection(const char* label, float score, float x, float y, float width, float height,
                             std::uint32_t track) {
    Detection one;
    one.set_label(label);
    one.score = score;
    one.x = x;
    one.y = y;
    one.width = width;
    one.height = height;
    one.track_id = track;
    return one;
  }
  /// What a buffer with this side data says when it comes back.
  SideDataView back(const SideDataView& there) {
    const Ptr<GstBuffer> buffer = picture();
    reel::gst::attach_side_data(buffer.get(), format_, reel::kNoTime, there);
    reel::gst::collect_side_data(buffer.get(), format_, writer_, lost_);
    return writer_.view();
  }
  /// What comes of the metas of `buffer` at a receiver.
  Ptr<GstBuffer> sent(const Ptr<GstBuffer>& buffer) {
    reel::gst::collect_side_data(buffer.get(), format_, writer_, lost_);
    Ptr<GstBuffer> got = picture();
    reel::gst::attach_side_data(got.get(), format_, reel::kNoTime, writer_.view());
    return got;
  }
  static std::vector<GstVideoRegionOfInterestMeta*> regions(const Ptr<GstBuffer>& buffer) {
    std::vector<GstVideoRegionOfInterestMeta*> all;
    gpointer state = nullptr;
    while (GstMeta* meta = gst_buffer_iterate_meta_filtered(buffer.get(), &state,
                                                            GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))
      all.push_back(reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta));
    return all;
  }

  std::vector<std::uint64_t> place_ = std::vector<std::uint64_t>(4096), other_place_ = place_;
  SideDataWriter writer_;
  LostMetas lost_;
  const Format format_{reel::VideoFormat{reel::PixelFormat::RGB, 64, 64, {}}};
};

TEST_F(Regions, DetectionsComeBackBitForBit) {
  SideDataWriter made(std::as_writable_bytes(std::span(other_place_)));
  const std::array faces{detection("face", 0.987654321F, 10.25F, 3.3333333F, 20.9F, 30.1F, 7),
                         detection("", 1e-20F, -4.5F, 0.49F, 0.5F, 1e9F, 0xFFFFFFFF)};
  const std::array cars{detection("a label of thirty-one characters", 0.5F, 1, 2, 3, 4, 0)};
  ASSERT_TRUE(made.add_detections("opencv.faces", faces));
  ASSERT_TRUE(made.add_detections("opencv.cars", cars));
  ASSERT_TRUE(made.add_motion("opencv.motion", {.score = 0.25F}));
  ASSERT_TRUE(made.add_json("someone", R"({"a": "b"})"));
  ASSERT_TRUE(made.add_detections("nothing.found", {}));

  std::vector<std::string> names;
  for (const SideDataView::Entry& entry : back(made.view())) {
    names.emplace_back(entry.name);
    for (const SideDataView::Entry& before : made.view()) {
      if (before.name != entry.name) continue;
      EXPECT_EQ(before.type, entry.type);
      EXPECT_TRUE(std::ranges::equal(before.data, entry.data)) << entry.name;
    }
  }
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("opencv.faces", "opencv.cars", "opencv.motion",
                                                     "someone", "nothing.found"));
  EXPECT_EQ(lost_.total(), 0U);
}

TEST_F(Regions, ADetectionIsARegionOfWholePixelsWithItsLabel) {
  SideDataWriter made(std::as_writable_bytes(std::span(other_place_)));
  const std::array found{detection("face", 0.75F, 10.6F, -3, 20.4F, 30.5F, 7)};
  ASSERT_TRUE(made.add_detections("opencv.faces", found));
  const Ptr<GstBuffer> buffer = picture();
  reel::gst::attach_side_data(buffer.get(), format_, reel::kNoTime, made.view());
  ASSERT_EQ(regions(buffer).size(), 1U);
  GstVideoRegionOfInterestMeta* region = regions(buffer)[0];
  EXPECT_STREQ(g_quark_to_string(region->roi_type), "face");
  EXPECT_EQ(region->x, 11U);
  EXPECT_EQ(region->y, 0U);
  EXPECT_EQ(region->w, 20U);
  EXPECT_EQ(region->h, 31U);
  gdouble score = 0;
  const GstStructure* param = gst_video_region_of_interest_meta_get_param(region, "detection");
  EXPECT_TRUE(gst_structure_get_double(param, "score", &score) && score == 0.75);
}

TEST_F(Regions, ARegionThatAnElementMovedIsWhereItMovedTo) {
  SideDataWriter made(std::as_writable_bytes(std::span(other_place_)));
  const std::array found{detection("face", 0.75F, 10.25F, 8, 20, 30, 7)};
  ASSERT_TRUE(made.add_detections("opencv.faces", found));
  const Ptr<GstBuffer> buffer = picture();
  reel::gst::attach_side_data(buffer.get(), format_, reel::kNoTime, made.view());
  regions(buffer)[0]->x = 20;
  regions(buffer)[0]->w = 40;
  reel::gst::collect_side_data(buffer.get(), format_, writer_, lost_);
  const auto detections = SideDataView::detections(*writer_.view().begin());
  ASSERT_EQ(detections.size(), 1U);
  EXPECT_EQ(detections[0].x, 20);
  EXPECT_EQ(detections[0].width, 40);
  EXPECT_EQ(detections[0].score, 0.75F);
  EXPECT_EQ(detections[0].track_id, 7U);
}

TEST_F(Regions, OfOthersArriveWithIdsAndParameters) {
  const Ptr<GstBuffer> buffer = picture();
  gst_buffer_add_video_region_of_interest_meta(buffer.get(), "plain", 1, 2, 3, 4);
  GstVideoRegionOfInterestMeta* rich = gst_buffer_add_video_region_of_interest_meta(
      buffer.get(), "a type whose name is longer than a label is", 100'000, 20'000'001, 30, 40);
  rich->id = 12;
  rich->parent_id = -4;
  gst_video_region_of_interest_meta_add_param(
      rich,
      gst_structure_new("detection", "confidence", G_TYPE_DOUBLE, 0.5, "label_id", G_TYPE_INT, 3, nullptr));
  gst_video_region_of_interest_meta_add_param(
      rich, gst_structure_new("roi/x264", "delta-qp", G_TYPE_INT, -5, nullptr));
  const Ptr<GstBuffer> got = sent(buffer);
  ASSERT_EQ(regions(got).size(), 2U);
  GstVideoRegionOfInterestMeta* plain = regions(got)[0];
  EXPECT_STREQ(g_quark_to_string(plain->roi_type), "plain");
  EXPECT_TRUE(plain->x == 1 && plain->y == 2 && plain->w == 3 && plain->h == 4);
  EXPECT_EQ(plain->params, nullptr) << "none was there";
  GstVideoRegionOfInterestMeta* same = regions(got)[1];
  EXPECT_EQ(same->roi_type, rich->roi_type);
  EXPECT_TRUE(same->x == rich->x && same->y == rich->y && same->w == rich->w && same->h == rich->h);
  EXPECT_EQ(same->id, 12);
  EXPECT_EQ(same->parent_id, -4);
  ASSERT_EQ(g_list_length(same->params), 2U);
  for (guint i = 0; i < 2; ++i)
    EXPECT_TRUE(gst_structure_is_equal(static_cast<GstStructure*>(g_list_nth_data(same->params, i)),
                                       static_cast<GstStructure*>(g_list_nth_data(rich->params, i))));
  EXPECT_EQ(lost_.total(), 0U);
}

TEST_F(Regions, OfOthersAreDetectionsToStages) {
  const Ptr<GstBuffer> buffer = picture();
  GstVideoRegionOfInterestMeta* region =
      gst_buffer_add_video_region_of_interest_meta(buffer.get(), "person", 1, 2, 30, 40);
  gst_video_region_of_interest_meta_add_param(
      region, gst_structure_new("detection", "confidence", G_TYPE_DOUBLE, 0.5, nullptr));
  reel::gst::collect_side_data(buffer.get(), format_, writer_, lost_);
  const auto detections = SideDataView::detections(*writer_.view().begin());
  ASSERT_EQ(detections.size(), 1U);
  EXPECT_EQ(detections[0].label_text(), "person");
  EXPECT_EQ(detections[0].score, 0.5F);
  EXPECT_EQ(detections[0].width, 30);
}

TEST_F(Regions, AParameterThatAnotherAddedToOursTravelsToo) {
  SideDataWriter made(std::as_writable_bytes(std::span(other_place_)));
  const std::array found{detection("face", 0.75F, 10.25F, 8, 20, 30, 7)};
  ASSERT_TRUE(made.add_detections("opencv.faces", found));
  const Ptr<GstBuffer> buffer = picture();
  reel::gst::attach_side_data(buffer.get(), format_, reel::kNoTime, made.view());
  gst_video_region_of_interest_meta_add_param(
      regions(buffer)[0], gst_structure_new("classification", "emotion", G_TYPE_STRING, "glad", nullptr));
  const Ptr<GstBuffer> got = sent(buffer);
  ASSERT_EQ(regions(got).size(), 1U);
  EXPECT_EQ(g_list_length(regions(got)[0]->params), 2U);
  const GstStructure* param = gst_video_region_of_interest_meta_get_param(regions(got)[0], "classification");
  ASSERT_NE(param, nullptr);
  EXPECT_STREQ(gst_structure_get_string(param, "emotion"), "glad");
  ASSERT_NE(gst_video_region_of_interest_meta_get_param(regions(got)[0], "detection"), nullptr);
}

TEST_F(Regions, DetailsOfADetectionThatAStageReplacedAreNotItsOwn) {
  const Ptr<GstBuffer> buffer = picture();
  gst_buffer_add_video_region_of_interest_meta(buffer.get(), "person", 1, 2, 30, 40)->id = 9;
  reel::gst::collect_side_data(buffer.get(), format_, writer_, lost_);
  SideDataWriter changed(std::as_writable_bytes(std::span(other_place_)));
  for (const SideDataView::Entry& entry : writer_.view()) {
    if (entry.type != reel::SideDataType::detections) {
      ASSERT_TRUE(changed.add_entry(entry));
    }
  }
  const std::array other{detection("car", 0.5F, 4, 4, 4, 4, 0)};
  ASSERT_TRUE(changed.add_detections("gst.roi", other));
  const Ptr<GstBuffer> got = picture();
  reel::gst::attach_side_data(got.get(), format_, reel::kNoTime, changed.view());
  ASSERT_EQ(regions(got).size(), 1U);
  EXPECT_STREQ(g_quark_to_string(regions(got)[0]->roi_type), "car");
  EXPECT_EQ(regions(got)[0]->id, 0);
}

TEST_F(Regions, ThatFindNoRoomAreCounted) {
  const Ptr<GstBuffer> buffer = picture();
  for (guint i = 0; i < 3; ++i) gst_buffer_add_video_region_of_interest_meta(buffer.get(), "x", i, 0, 1, 1);
  SideDataWriter small(std::as_writable_bytes(std::span(place_)).first(64));
  reel::gst::collect_side_data(buffer.get(), format_, small, lost_);
  EXPECT_EQ(lost_.total(), 3U);
  GstStructure* by_type = lost_.by_type();
  guint64 count = 0;
  EXPECT_TRUE(gst_structure_get_uint64(by_type, "GstVideoRegionOfInterestMetaAPI", &count) && count == 3);
  gst_structure_free(by_type);
}

}  // namespace
}  // namespace gstreamer_test
