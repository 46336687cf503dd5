#include <reel/format/side_data.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace reel {
namespace {

// An aligned place filled with a byte that is neither zero nor an entry.
struct Place {
  explicit Place(std::size_t size) : words((size + 7) / 8, 0xEEEEEEEEEEEEEEEEu), bytes(size) {}
  [[nodiscard]] std::span<std::byte> span() { return std::as_writable_bytes(std::span(words)).first(bytes); }
  std::vector<std::uint64_t> words;
  std::size_t bytes;
};

std::vector<SideDataView::Entry> entries_of(const SideDataView& view) {
  std::vector<SideDataView::Entry> entries;
  for (const auto& entry : view) entries.push_back(entry);
  return entries;
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::array<Detection, 2> two_faces() {
  std::array<Detection, 2> faces{};
  faces[0].set_label("face");
  faces[0].score = 0.75F;
  faces[0].x = 10;
  faces[0].width = 40;
  faces[1].set_label("hand");
  faces[1].track_id = 7;
  return faces;
}

TEST(SideData, ComesBackAsItWasWritten) {
  Place place(1024);
  SideDataWriter writer(place.span());
  const auto faces = two_faces();
  const std::array<std::byte, 3> blob{std::byte{1}, std::byte{2}, std::byte{3}};
  AudioLevel level{.channels = 2};
  level.rms_dbfs[1] = -12.5F;
  ASSERT_TRUE(writer.add_detections("opencv.faces", faces));
  ASSERT_TRUE(writer.add_motion("opencv.motion", {0.25F}));
  ASSERT_TRUE(writer.add_audio_level("audio.level", level));
  ASSERT_TRUE(writer.add_json("mine", R"({"a":1})"));
  ASSERT_TRUE(writer.add_bytes("", blob));

  const SideDataView view = writer.view();
  const auto entries = entries_of(view);
  ASSERT_EQ(entries.size(), 5u);
  EXPECT_EQ(entries[0].name, "opencv.faces");
  const auto found = SideDataView::detections(entries[0]);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].label_text(), "face");
  EXPECT_EQ(found[0].score, 0.75F);
  EXPECT_EQ(found[0].width, 40);
  EXPECT_EQ(found[1].label_text(), "hand");
  EXPECT_EQ(found[1].track_id, 7u);
  EXPECT_EQ(view.motion()->score, 0.25F);
  EXPECT_EQ(view.audio_level()->channels, 2u);
  EXPECT_EQ(view.audio_level()->rms_dbfs[1], -12.5F);
  EXPECT_EQ(entries[3].type, SideDataType::json);
  EXPECT_EQ(text_of(entries[3].data), R"({"a":1})");
  EXPECT_EQ(entries[4].name, "");
  EXPECT_EQ(text_of(entries[4].data), "\1\2\3");
}

TEST(SideData, HasTheBytesThatItsHeaderSays) {
  Place place(48);
  SideDataWriter writer(place.span());
  ASSERT_TRUE(writer.add_json("ab", "xyz"));
  std::string expected(40, '\0');
  expected[0] = 4;  // json
  expected[4] = 3;  // bytes
  expected.replace(8, 2, "ab");
  expected.replace(32, 3, "xyz");
  EXPECT_EQ(text_of(writer.view().bytes()), expected);
  EXPECT_EQ(text_of(place.span().subspan(40)), std::string(8, '\xEE'));
}

TEST(SideData, IsEmptyInNoBytesAtAll) {
  EXPECT_TRUE(SideDataView().empty());
  EXPECT_TRUE(SideDataWriter().view().empty());
  EXPECT_FALSE(SideDataWriter().add_motion("m", {1}));
  EXPECT_FALSE(SideDataView().motion());
  EXPECT_FALSE(SideDataView().audio_level());
}

TEST(SideData, KeepsEntriesWithoutDataAndAlignsAll) {
  Place place(512);
  SideDataWriter writer(place.span());
  for (std::size_t size = 0; size < 9; ++size) {
    ASSERT_TRUE(writer.add_json("n", std::string(size, 'j')));
    EXPECT_EQ(writer.size() % 8, 0u);
  }
  std::size_t size = 0;
  for (const auto& entry : writer.view()) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(entry.data.data()) % 8, 0u);
    EXPECT_EQ(entry.data.size(), size++);
  }
  EXPECT_EQ(size, 9u);
}

TEST(SideData, WritesNothingWhenAnEntryDoesNotFit) {
  for (std::size_t room = 0; room < 40; ++room) {
    Place place(room);
    SideDataWriter writer(place.span());
    EXPECT_FALSE(writer.add_motion("m", {1})) << room;
    EXPECT_EQ(writer.size(), 0u);
    EXPECT_EQ(text_of(place.span()), std::string(room, '\xEE'));
  }
  Place place(40);
  SideDataWriter writer(place.span());
  EXPECT_TRUE(writer.add_motion("m", {1}));
  EXPECT_EQ(writer.size(), 40u);
  EXPECT_EQ(writer.capacity(), 40u);
  EXPECT_FALSE(writer.add_bytes("", {}));
}

TEST(SideData, PassesOnAllEntriesOrNone) {
  Place first_place(256), second_place(256), small_place(100);
  SideDataWriter first(first_place.span());
  ASSERT_TRUE(first.add_motion("m", {0.5F}));
  ASSERT_TRUE(first.add_json("j", "[]"));
  ASSERT_TRUE(first.add_json("k", "{}"));

  SideDataWriter second(second_place.span());
  ASSERT_TRUE(second.add_json("own", "1"));
  ASSERT_TRUE(second.add_all(first.view()));
  const auto entries = entries_of(second.view());
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_EQ(entries[0].name, "own");
  EXPECT_EQ(entries[3].name, "k");
  EXPECT_EQ(second.view().motion()->score, 0.5F);

  SideDataWriter small(small_place.span());
  EXPECT_FALSE(small.add_all(first.view()));
  EXPECT_EQ(small.size(), 0u);
  EXPECT_TRUE(small.add_all(SideDataView()));
}

TEST(SideData, PassesOnOneEntryAsItIs) {
  Place first_place(256), second_place(40);
  SideDataWriter first(first_place.span()), second(second_place.span());
  ASSERT_TRUE(first.add_json("j", "[1]"));
  ASSERT_TRUE(first.add_motion("m", {0.5F}));
  const auto entries = entries_of(first.view());
  ASSERT_TRUE(second.add_entry(entries[1]));
  EXPECT_FALSE(second.add_entry(entries[0]));
  ASSERT_EQ(entries_of(second.view()).size(), 1u);
  EXPECT_EQ(second.view().begin()->name, "m");
  EXPECT_EQ(second.view().motion()->score, 0.5F);
}

TEST(SideData, CutsNamesAndLabelsBetweenCharacters) {
  Place place(256);
  SideDataWriter writer(place.span());
  ASSERT_TRUE(writer.add_json(std::string(24, 'n'), ""));
  ASSERT_TRUE(writer.add_json(std::string(22, 'n') + "\u00e9", ""));
  const auto entries = entries_of(writer.view());
  EXPECT_EQ(entries[0].name, std::string(23, 'n'));
  EXPECT_EQ(entries[1].name, std::string(22, 'n'));

  Detection detection;
  detection.set_label(std::string(100, 'l'));
  EXPECT_EQ(detection.label_text(), std::string(31, 'l'));
  detection.set_label(std::string(29, 'l') + "\u20ac");
  EXPECT_EQ(detection.label_text(), std::string(29, 'l'));
  detection.set_label(std::string(28, 'l') + "\u20ac");
  EXPECT_EQ(detection.label_text(), std::string(28, 'l') + "\u20ac");
  detection.set_label(std::string(40, '\x80'));
  EXPECT_EQ(detection.label_text(), "");
  detection.set_label("short");
  EXPECT_EQ(detection.label_text(), "short");
}

TEST(SideData, ReadsLabelsAndNamesThatAreNotTerminated) {
  Detection detection;
  detection.label.fill('x');
  EXPECT_EQ(detection.label_text(), std::string(32, 'x'));

  Place place(64);
  SideDataWriter writer(place.span());
  ASSERT_TRUE(writer.add_json("n", ""));
  std::memset(place.span().data() + 8, 'y', kSideDataNameBytes);
  EXPECT_EQ(entries_of(writer.view())[0].name, std::string(24, 'y'));
}

TEST(SideData, StopsAtTheEntryThatDoesNotFitWhereverItIsCut) {
  Place place(512);
  SideDataWriter writer(place.span());
  std::vector<std::size_t> ends;
  for (const std::size_t size : {0u, 5u, 8u, 56u}) {
    ASSERT_TRUE(writer.add_json("n", std::string(size, 'j')));
    ends.push_back(writer.size());
  }
  for (std::size_t cut = 0; cut <= writer.size(); ++cut) {
    const auto whole = static_cast<std::size_t>(
        std::count_if(ends.begin(), ends.end(), [&](std::size_t end) { return end <= cut; }));
    EXPECT_EQ(entries_of(SideDataView(writer.view().bytes().first(cut))).size(), whole) << cut;
  }
}

TEST(SideData, StopsAtSizesThatAreLies) {
  for (const std::uint32_t lie : {9u, 16u, 0x7FFFFFFFu, 0xFFFFFFF8u, 0xFFFFFFF9u, 0xFFFFFFFFu}) {
    Place place(80);
    SideDataWriter writer(place.span());
    ASSERT_TRUE(writer.add_motion("first", {0.5F}));
    ASSERT_TRUE(writer.add_json("second", "12345678"));
    std::memcpy(place.span().data() + 40 + 4, &lie, sizeof lie);
    EXPECT_EQ(entries_of(writer.view()).size(), 1u) << lie;
  }
}

TEST(SideData, EndsAtZeros) {
  Place place(256);
  SideDataWriter writer(place.span());
  ASSERT_TRUE(writer.add_motion("m", {0.5F}));
  std::memset(place.span().data() + writer.size(), 0, 256 - writer.size());
  EXPECT_EQ(entries_of(SideDataView(place.span())).size(), 1u);
}

TEST(SideData, GivesTypedValuesOnlyOfTheRightSizeAndTypeAndAlignment) {
  Place place(512);
  SideDataWriter writer(place.span());
  ASSERT_TRUE(writer.add_detections("d", two_faces()));
  ASSERT_TRUE(writer.add_json("j", std::string(56, 'j')));
  const auto entries = entries_of(writer.view());
  EXPECT_TRUE(SideDataView::detections(entries[1]).empty());

  SideDataView::Entry entry = entries[0];
  EXPECT_EQ(SideDataView::detections(entry).size(), 2u);
  entry.data = entries[0].data.first(111);
  EXPECT_TRUE(SideDataView::detections(entry).empty());
  entry.data = entries[0].data.subspan(2, 56);
  EXPECT_TRUE(SideDataView::detections(entry).empty());

  const std::uint32_t motion = 2, level = 3;
  std::memcpy(place.span().data(), &motion, sizeof motion);
  EXPECT_FALSE(writer.view().motion());
  std::memcpy(place.span().data(), &level, sizeof level);
  EXPECT_FALSE(writer.view().audio_level());
}

TEST(SideData, GivesNoValuesThatAreNoNumbers) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Place place(256);
  SideDataWriter writer(place.span());
  ASSERT_TRUE(writer.add_motion("m", {nan}));
  ASSERT_TRUE(writer.add_audio_level("l", {.channels = 1}));
  EXPECT_FALSE(writer.view().motion());
  EXPECT_TRUE(writer.view().audio_level());
  std::byte* level = place.span().data() + 40 + kSideDataHeaderBytes;
  std::memcpy(level + offsetof(AudioLevel, peak_dbfs), &nan, sizeof nan);
  EXPECT_FALSE(writer.view().audio_level());
  std::memset(level, 0, sizeof(AudioLevel));
  const std::uint32_t channels = 9;
  std::memcpy(level, &channels, sizeof channels);
  EXPECT_FALSE(writer.view().audio_level());
}

TEST(SideData, StoresSilenceAsMinus200) {
  Place place(256);
  SideDataWriter writer(place.span());
  AudioLevel level{.channels = 99};
  level.rms_dbfs[0] = -std::numeric_limits<float>::infinity();
  level.rms_dbfs[1] = std::numeric_limits<float>::quiet_NaN();
  level.peak_dbfs[0] = -3;
  ASSERT_TRUE(writer.add_audio_level("l", level));
  const auto stored = writer.view().audio_level();
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->channels, kMaxLevelChannels);
  EXPECT_EQ(stored->rms_dbfs[0], -200);
  EXPECT_EQ(stored->rms_dbfs[1], -200);
  EXPECT_EQ(stored->peak_dbfs[0], -3);
}

}  // namespace
}  // namespace reel
