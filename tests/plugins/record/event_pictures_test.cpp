// Pictures of events, where they can be written and where they cannot.
#include "made_recording.hpp"

#include <algorithm>
#include <filesystem>

#include <catalog/catalog.hpp>
#include <catalog/segment_name.hpp>
#include <gmock/gmock.h>
#include <recorder/event_pictures.hpp>
#include <reel_test/scratch_dir.hpp>
#include <reel_test/short_files.hpp>

namespace reel_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class EventPictures : public ::testing::Test {
 protected:
  /// A segment that is still to get its name, with one event in it.
  EventPictures() {
    make_recording(scratch_.path(), "door", {made_pictures("front", reel::PixelFormat::I420, 20)});
    const record::Catalog catalog(record::StoreOptions{scratch_.path(), false, {}});
    record_ = catalog.find().at(0);
    std::filesystem::rename(whole(record_.path), whole(record::open_path_of(record_.path)));
    record::EventMark mark;
    mark.id = "1-bell";
    mark.kind = "bell";
    mark.best_ns = record_.start_ns;
    mark.end_ns = record_.end_ns;
    record_.events.push_back(mark);
  }
  [[nodiscard]] std::string whole(const std::string& path) const { return scratch_.path() + "/" + path; }
  [[nodiscard]] std::vector<std::string> pictures() const {
    std::vector<std::string> names;
    const auto folder = std::filesystem::path(whole(record_.path)).parent_path();
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      if (entry.path().filename().string().find(".jpg") != std::string::npos)
        names.push_back(entry.path().filename());
    return names;
  }
  /// What it logs.
  std::string add() {
    const record::Store store(record::StoreOptions{scratch_.path(), false, {}});
    ::testing::internal::CaptureStderr();
    record::add_pictures(store, record_);
    return ::testing::internal::GetCapturedStderr();
  }
  [[nodiscard]] const record::EventMark& mark() const { return record_.events.at(0); }

  ScratchDir scratch_;
  record::SegmentRecord record_;
};

TEST_F(EventPictures, AreBesideTheirSegment) {
  EXPECT_EQ(add(), "");
  for (const std::string& path : {mark().picture, mark().thumbnail}) {
    const std::string bytes = read_file(whole(path));
    EXPECT_TRUE(bytes.starts_with("\xff\xd8") && bytes.ends_with("\xff\xd9")) << path;
  }
  EXPECT_EQ(pictures().size(), 2U);
}

TEST_F(EventPictures, ThatCannotBeWrittenWholeAreNotThereAtAll) {
  EXPECT_EQ(add(), "");
  const std::uintmax_t whole_bytes = std::filesystem::file_size(whole(mark().picture));
  const std::uintmax_t small_bytes = std::filesystem::file_size(whole(mark().thumbnail));
  std::filesystem::remove(whole(mark().picture));
  std::filesystem::remove(whole(mark().thumbnail));
  record_.events[0].picture = record_.events[0].thumbnail = "";
  const std::string log = [&] {
    const ShortFiles full(std::min(whole_bytes, small_bytes) / 2);
    return add();
  }();
  EXPECT_THAT(log, HasSubstr("event 1-bell has no picture"));
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
  EXPECT_THAT(mark().picture, IsEmpty());
  EXPECT_THAT(mark().thumbnail, IsEmpty());
  EXPECT_THAT(pictures(), IsEmpty());
}

TEST_F(EventPictures, OfAFileThatIsGoneAreLeftOut) {
  std::filesystem::remove(whole(record::open_path_of(record_.path)));
  const std::string log = add();
  EXPECT_THAT(log, HasSubstr("event 1-bell has no picture"));
  EXPECT_THAT(pictures(), IsEmpty());
}

}  // namespace
}  // namespace reel_test
