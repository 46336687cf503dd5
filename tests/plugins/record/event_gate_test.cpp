// Which units go into files of events: whole groups of pictures around the event, none twice, none lost.
#include "events/event_gate.hpp"

#include "side_fixture.hpp"
#include "units.hpp"

#include <gmock/gmock.h>

namespace record {
namespace {

struct File {
  std::vector<Unit> units;
  std::int64_t end_ns = -1;
  [[nodiscard]] std::vector<std::int64_t> times(std::size_t track) const {
    std::vector<std::int64_t> result;
    for (const Unit& unit : units)
      if (unit.track == track) result.push_back(unit.time_ns / kMs);
    return result;
  }
};

/// Every `step` ms from `from` to before `to`.
std::vector<std::int64_t> range(std::int64_t from, std::int64_t to, std::int64_t step) {
  std::vector<std::int64_t> result;
  for (std::int64_t ms = from; ms < to; ms += step) result.push_back(ms);
  return result;
}

class Gate : public testing::Test, public EventGate::Output {
 protected:
  void use(RecordMode mode, std::int64_t pre_roll_ms = 2'000) {
    EventGate::Settings settings;
    settings.mode = mode;
    settings.events.rules = event_rules_from({"motion 0.1"});
    settings.events.post_roll_ns = 1'500 * kMs;
    settings.pre_roll = {pre_roll_ms * kMs, 10'000'000};
    gate_.emplace(settings, *this);
    gate_->set_reference(kVideo);
  }
  /// Frames are looked at before their units come out of the encoder, which holds them for `delay_ms`.
  void play(std::int64_t from_ms, std::int64_t to_ms, float score, std::int64_t delay_ms = 200) {
    for (std::int64_t ms = from_ms; ms < to_ms; ms += 50) {
      if (ms % 100 == 0) {
        Side side;
        side.move(score);
        gate_->look({kVideo, "camera", ms * kMs, side.view()});
      }
      gate_->push(made_unit(kSound, ms * kMs, true));
      const std::int64_t out = ms - delay_ms;
      if (out >= 0 && out % 100 == 0) gate_->push(made_unit(kVideo, out * kMs, out % 1000 == 0));
      gate_->advance(ms * kMs);
    }
  }
  void play_sound(std::int64_t from_ms, std::int64_t to_ms) {
    play_units(
        from_ms, to_ms,
        [&](const Unit& unit) {
          gate_->push(unit);
          gate_->advance(unit.time_ns);
        },
        false);
  }

  void write(SegmentClass kind, const Unit& unit) override {
    if (kind == SegmentClass::continuous) {
      continuous_.units.push_back(unit);
      return;
    }
    if (files_.empty() || files_.back().end_ns >= 0) files_.emplace_back();
    files_.back().units.push_back(unit);
  }
  void close_event_file(std::int64_t end_ns) override {
    ASSERT_FALSE(files_.empty());
    files_.back().end_ns = end_ns;
  }
  void event(const EventChange& change) override { changes_.push_back(change); }

  std::optional<EventGate> gate_;
  File continuous_;
  std::vector<File> files_;
  std::vector<EventChange> changes_;
};

TEST_F(Gate, WritesPreRollEventAndPostRollInWholeGroups) {
  use(RecordMode::events);
  play(0, 10'300, 0);
  play(10'300, 10'800, 0.5F);
  play(10'800, 20'000, 0);
  ASSERT_EQ(files_.size(), 1U);
  // From the key frame at or before 10.3 s - 2 s, to the first one after 10.7 s + 1.5 s.
  EXPECT_EQ(files_[0].times(kVideo), range(8'000, 13'000, 100));
  EXPECT_EQ(files_[0].times(kSound), range(8'000, 13'000, 50));
  EXPECT_EQ(files_[0].end_ns, 13'000 * kMs);
  EXPECT_TRUE(continuous_.units.empty());
  EXPECT_EQ(changes_.front().event.start_ns, 10'300 * kMs);
  EXPECT_EQ(changes_.back().what, EventChange::What::ended);
  const EventMark mark = event_mark(changes_.back().event);
  EXPECT_EQ(mark.end_ns, 12'200 * kMs);
  EXPECT_EQ(mark.kind, "motion");
}

TEST_F(Gate, WritesEverythingOnceMoreWhereBothAreAskedFor) {
  use(RecordMode::both);
  play(0, 10'300, 0);
  play(10'300, 10'800, 0.5F);
  play(10'800, 20'000, 0);
  ASSERT_EQ(files_.size(), 1U);
  EXPECT_EQ(files_[0].times(kVideo), range(8'000, 13'000, 100));
  EXPECT_EQ(continuous_.times(kVideo), range(0, 19'800, 100));
  EXPECT_EQ(continuous_.times(kSound), range(0, 20'000, 50));
}

TEST_F(Gate, OnlyTellsOfEventsWhereAllIsRecordedAnyway) {
  use(RecordMode::continuous);
  play(0, 1'000, 0.5F);
  play(1'000, 9'000, 0);
  EXPECT_TRUE(files_.empty());
  EXPECT_EQ(continuous_.times(kSound), range(0, 9'000, 50));
  EXPECT_EQ(changes_.front().what, EventChange::What::begun);
  EXPECT_EQ(changes_.back().what, EventChange::What::ended);
}

TEST_F(Gate, HasNothingTwiceAndLosesNothingWhenEventsFollowEachOther) {
  use(RecordMode::events);
  for (std::int64_t ms = 0; ms < 120'000; ms += 100) play(ms, ms + 100, ms % 4'300 == 0 ? 0.5F : 0);
  gate_->finish();
  ASSERT_GT(files_.size(), 3U);
  std::int64_t before = 0;
  for (const File& file : files_) {
    const auto times = file.times(kVideo);
    EXPECT_EQ(times,
              range(times.front(), times.front() + static_cast<std::int64_t>(times.size()) * 100, 100));
    EXPECT_GE(times.front(), before);
    EXPECT_EQ(times.front() % 1'000, 0);
    EXPECT_EQ(file.times(kSound).front(), times.front());
    before = file.end_ns / kMs;
    if (&file != &files_.back()) {
      EXPECT_EQ(times.back(), before - 100);
      EXPECT_EQ(file.times(kSound).back(), before - 50);
    }
  }
  for (const EventChange& change : changes_) {
    if (change.what != EventChange::What::begun) continue;
    const std::int64_t from = std::max<std::int64_t>(change.event.start_ns / kMs - 2'000, 0);
    const bool there = std::any_of(files_.begin(), files_.end(), [&](const File& file) {
      return file.times(kVideo).front() <= from && from < file.end_ns / kMs;
    });
    EXPECT_TRUE(there) << "no pre-roll from " << from;
  }
}

TEST_F(Gate, WaitsForSoundThatIsLateBeforeItEndsAFile) {
  use(RecordMode::events, 0);
  const auto late_sound = [&](std::int64_t from_ms, std::int64_t to_ms) {
    for (std::int64_t ms = from_ms; ms < to_ms; ms += 50) {
      if (ms % 100 == 0) gate_->push(made_unit(kVideo, ms * kMs, ms % 1000 == 0));
      if (ms >= 300) gate_->push(made_unit(kSound, (ms - 300) * kMs, true));
      gate_->advance(ms * kMs);
    }
  };
  late_sound(0, 5'000);
  gate_->call({"call", "", 0, false}, 5'000 * kMs);
  late_sound(5'000, 7'250);
  ASSERT_EQ(files_.size(), 1U);
  EXPECT_EQ(files_[0].end_ns, -1);
  late_sound(7'250, 7'350);
  EXPECT_EQ(files_[0].end_ns, 7'000 * kMs);
  EXPECT_EQ(files_[0].times(kSound).back(), 6'950);
}

TEST_F(Gate, GoesOnInTheFileThatIsAboutToEnd) {
  use(RecordMode::events, 0);
  play(0, 5'000, 0, 0);
  play(5'000, 5'100, 0.5F, 0);
  play(5'100, 6'900, 0, 0);
  for (std::int64_t ms = 6'900; ms < 7'500; ms += 100) gate_->push(made_unit(kVideo, ms * kMs, ms == 7'000));
  ASSERT_EQ(files_.size(), 1U);
  EXPECT_EQ(files_[0].times(kVideo).back(), 6'900) << "it ends at 7 s, but waits for its sound";
  gate_->call({"call", "", 0, false}, 7'500 * kMs);
  EXPECT_EQ(files_[0].times(kVideo).back(), 7'400);
  play_sound(6'900, 7'500);
  gate_->finish();
  ASSERT_EQ(files_.size(), 1U);
  EXPECT_EQ(files_[0].times(kVideo), range(4'000, 7'500, 100)) << "the key frame of 5 s was still to come";
  EXPECT_EQ(files_[0].times(kSound), range(4'000, 7'500, 50));
}

TEST_F(Gate, RecordsSoundWhileThePictureIsAway) {
  use(RecordMode::events);
  play(0, 3'000, 0);
  play_sound(3'000, 20'000);
  gate_->call({"call", "", 2'000 * kMs, false}, 20'000 * kMs);
  play_sound(20'000, 40'000);
  ASSERT_EQ(files_.size(), 1U);
  EXPECT_LE(files_[0].times(kSound).front(), 18'000);
  EXPECT_EQ(files_[0].end_ns, 23'500 * kMs);
  EXPECT_EQ(files_[0].times(kSound).back(), 23'450);
}

TEST_F(Gate, BeginsOtherVideoWithAKeyFrameOfItsOwn) {
  use(RecordMode::events, 0);
  gate_->push(made_unit(kVideo, 0, true));
  gate_->push(made_unit(kSecondVideo, 0, false));
  gate_->call({"call", "", 0, false}, 0);
  gate_->push(made_unit(kSecondVideo, 100 * kMs, false));
  gate_->push(made_unit(kSecondVideo, 200 * kMs, true));
  gate_->push(made_unit(kSecondVideo, 300 * kMs, false));
  gate_->finish();
  ASSERT_EQ(files_.size(), 1U);
  EXPECT_EQ(files_[0].times(kSecondVideo), (std::vector<std::int64_t>{200, 300}));
}

TEST_F(Gate, ClosesWhatIsOpenWithTheRecording) {
  use(RecordMode::events);
  play(0, 2'000, 0.5F);
  gate_->finish();
  ASSERT_EQ(files_.size(), 1U);
  EXPECT_GT(files_[0].end_ns, 0);
  EXPECT_EQ(files_[0].times(kSound), range(0, 2'000, 50));
  EXPECT_TRUE(gate_->going_on().empty());
}

TEST(RecordMode, IsOneOfThree) {
  EXPECT_EQ(record_mode_from("both"), RecordMode::both);
  EXPECT_FALSE(record_mode_from("never"));
}

}  // namespace
}  // namespace record
