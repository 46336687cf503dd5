// The mixer alone: tracks on one time line.
#include "mixer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using ::testing::ElementsAre;

std::vector<double> taken(Mixer& mixer, std::size_t values) {
  std::vector<double> samples(values);
  std::vector<PieceNotes> notes;
  mixer.take(samples, notes);
  return samples;
}

TEST(Mixer, AddsTracksWhereTheirTimesSay) {
  Mixer mixer(2, 1);
  mixer.add(0, 10, {1, 1, 1, 1}, {});
  EXPECT_EQ(mixer.complete(), 0) << "the other track may begin anywhere";
  mixer.add(1, 12, {5, 5, 5, 5}, {});
  EXPECT_EQ(mixer.position(), 10);
  EXPECT_EQ(mixer.complete(), 4);
  EXPECT_EQ(mixer.brought(), 6);
  EXPECT_THAT(taken(mixer, 4), ElementsAre(1, 1, 6, 6));
  EXPECT_EQ(mixer.complete(), 0);
  mixer.end(0);
  EXPECT_EQ(mixer.complete(), 2);
  EXPECT_THAT(taken(mixer, 2), ElementsAre(5, 5));
  EXPECT_EQ(mixer.brought(), 0);
}

TEST(Mixer, KeepsChannelsApart) {
  Mixer mixer(2, 2);
  mixer.add(0, 0, {1, 2, 3, 4}, {});
  mixer.add(1, 1, {10, 20}, {});
  EXPECT_THAT(taken(mixer, 4), ElementsAre(1, 2, 13, 24));
}

TEST(Mixer, PutsWhatHasNoTimeBehindWhatCameBefore) {
  Mixer mixer(2, 1);
  mixer.add(0, 100, {1, 1}, {});
  mixer.add(0, std::nullopt, {2, 2}, {});
  mixer.add(1, std::nullopt, {10, 10, 10}, {});  // it begins where the mix is
  EXPECT_EQ(mixer.end_of(0), 104);
  EXPECT_THAT(taken(mixer, 3), ElementsAre(11, 11, 12));
  mixer.add(1, std::nullopt, {20}, {});
  EXPECT_THAT(taken(mixer, 1), ElementsAre(22));
}

TEST(Mixer, DropsWhatComesTwiceOrTooLate) {
  Mixer mixer(1, 1);
  mixer.add(0, 0, {1, 2, 3}, {});
  mixer.add(0, 2, {7, 8}, {});  // its first place is taken
  EXPECT_THAT(taken(mixer, 4), ElementsAre(1, 2, 3, 8));
  mixer.add(0, 1, {9, 9}, {});
  EXPECT_EQ(mixer.brought(), 0);
  EXPECT_EQ(mixer.too_late(), 3U);
}

TEST(Mixer, IsSilentInGaps) {
  Mixer mixer(2, 1);
  mixer.add(0, 0, {1, 1, 1, 1}, {});
  mixer.add(1, 0, {5}, {});
  EXPECT_EQ(mixer.complete(), 1);
  mixer.add_silence(1, 3);
  EXPECT_EQ(mixer.complete(), 3);
  mixer.add(1, 3, {5}, {});
  EXPECT_THAT(taken(mixer, 4), ElementsAre(6, 1, 1, 6));
}

TEST(Mixer, IsSilentWhereATrackHasBroughtNothingButGaps) {
  Mixer mixer(2, 1);
  mixer.add(0, 0, {1, 1, 1, 1}, {});
  mixer.add_silence(1, 2);
  EXPECT_EQ(mixer.complete(), 2) << "nobody waits for what is said to be silent";
  mixer.add_silence(1, 1);
  EXPECT_EQ(mixer.end_of(1), 2) << "a gap takes nothing back";
  mixer.add_silence(0, 9);
  mixer.add_silence(1, 9);
  EXPECT_EQ(mixer.complete(), 4) << "there is no more sound";
}

TEST(Mixer, DropsOfManyChannelsWholeFrames) {
  Mixer mixer(1, 2);
  mixer.add(0, 0, {1, 10, 2, 20}, {});
  mixer.add(0, 1, {3, 30, 4, 40, 5, 50}, {});  // the first of three comes twice
  EXPECT_THAT(taken(mixer, 8), ElementsAre(1, 10, 2, 20, 4, 40, 5, 50));
}

TEST(Mixer, DropsWhatComesTwiceAlsoOfSoundThatIsStillToBeTaken) {
  Mixer mixer(1, 1);
  mixer.add(0, 0, {1, 2, 3, 4}, {});
  EXPECT_THAT(taken(mixer, 1), ElementsAre(1));
  mixer.add(0, 2, {7, 8, 9}, {});
  EXPECT_THAT(taken(mixer, 4), ElementsAre(2, 3, 4, 9));
}

TEST(Mixer, GoesOnWhereItIsWithATrackThatWasLeftBehind) {
  Mixer mixer(2, 1);
  mixer.add(0, 0, {1, 1, 1, 1, 1, 1}, {});
  mixer.add(1, 0, {5}, {});
  EXPECT_EQ(mixer.leave_behind(1), 0U) << "both have as much";
  EXPECT_EQ(mixer.leave_behind(4), 1U);
  EXPECT_EQ(mixer.leave_behind(4), 0U) << "it is already";
  EXPECT_THAT(taken(mixer, 4), ElementsAre(6, 1, 1, 1));
  EXPECT_EQ(mixer.end_of(1), 4);
  mixer.add(1, 3, {7, 8}, {});  // the first of it is too late
  EXPECT_EQ(mixer.complete(), 1);
  EXPECT_THAT(taken(mixer, 1), ElementsAre(9));
  mixer.end(1);
  EXPECT_EQ(mixer.leave_behind(4), 1U) << "the one that goes on; the other has ended";
}

TEST(Mixer, LeavesBehindWhoeverBringsNothingUntilTheyComeAgain) {
  Mixer mixer(2, 1);
  mixer.add(0, 0, {1, 1, 1, 1}, {});
  EXPECT_EQ(mixer.leave_behind(2), 1U);
  EXPECT_EQ(mixer.complete(), 4);
  EXPECT_THAT(taken(mixer, 2), ElementsAre(1, 1));
  mixer.add(1, 0, {9}, {});  // too late: it is still behind
  EXPECT_EQ(mixer.complete(), 2);
  mixer.add(1, 1, {9, 5}, {});
  EXPECT_EQ(mixer.complete(), 1);
  EXPECT_THAT(taken(mixer, 1), ElementsAre(6));
  EXPECT_EQ(mixer.complete(), 0) << "it is waited for again";
}

TEST(Mixer, GivesNotesWithTheFirstFramesOfTheirPiece) {
  Mixer mixer(1, 1);
  mixer.add(0, 0, {1, 1, 1}, {5, {std::byte{1}}});
  mixer.add(0, 3, {1, 1}, {6, {}});
  std::vector<PieceNotes> notes;
  std::vector<double> two(2);
  mixer.take(two, notes);
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_EQ(notes[0].capture_ns, 5);
  mixer.take(two, notes);
  ASSERT_EQ(notes.size(), 2U);
  EXPECT_EQ(notes[1].capture_ns, 6);
}

TEST(Mixer, KeepsNotesOfAPieceThatBeginsBehindWhatIsTaken) {
  Mixer mixer(1, 1);
  mixer.add(0, 0, {1, 1}, {5, {}});
  mixer.add(0, 2, {1, 1}, {6, {}});
  std::vector<PieceNotes> notes;
  std::vector<double> two{7, 7};
  mixer.take(two, notes);
  EXPECT_THAT(two, ElementsAre(1, 1)) << "what was there before is no part of the mix";
  ASSERT_EQ(notes.size(), 1U);
}

TEST(Mixer, SkipsSilenceOfItsLeastLengthAndNoShorterOne) {
  Mixer mixer(1, 1);
  mixer.add(0, 0, {1}, {});
  EXPECT_THAT(taken(mixer, 1), ElementsAre(1));
  mixer.add(0, 100, {3}, {});
  EXPECT_FALSE(mixer.skip_silence(100));
  EXPECT_EQ(mixer.position(), 1);
  EXPECT_TRUE(mixer.skip_silence(99));
  EXPECT_EQ(mixer.position(), 100);
}

TEST(Mixer, SkipsLongSilenceOfAll) {
  Mixer mixer(2, 1);
  mixer.add(0, 0, {1}, {});
  mixer.add(1, 0, {1}, {});
  EXPECT_THAT(taken(mixer, 1), ElementsAre(2));
  mixer.add(0, 1'000'000, {3}, {});
  EXPECT_FALSE(mixer.skip_silence(100)) << "the other may bring something yet";
  mixer.add(1, 2'000'000, {4}, {});
  EXPECT_TRUE(mixer.skip_silence(100));
  EXPECT_EQ(mixer.position(), 1'000'000);
  EXPECT_THAT(taken(mixer, 1), ElementsAre(3));
}

}  // namespace
