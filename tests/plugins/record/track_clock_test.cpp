// Media times of streams whose clocks are late, drift, jump and lie.
#include <gmock/gmock.h>

#include <cmath>

#include <media/track_clock.hpp>

namespace {

using record::FrameTimes;
using record::MediaTime;
using record::TrackClock;

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kAnchor = 5000 * kSecond;

TrackClock clock_from_anchor() {
  TrackClock::Settings settings;
  settings.anchor_ns = kAnchor;
  return TrackClock(settings);
}

FrameTimes live(std::int64_t pts_ns, std::int64_t capture_ns, std::int64_t duration_ns = 20 * kMs) {
  FrameTimes frame;
  frame.pts_ns = pts_ns;
  frame.capture_ns = frame.arrived_ns = capture_ns;
  frame.duration_ns = duration_ns;
  return frame;
}

FrameTimes arrived(std::int64_t pts_ns, std::int64_t arrived_ns) {
  FrameTimes frame;
  frame.pts_ns = pts_ns;
  frame.arrived_ns = arrived_ns;
  return frame;
}

TEST(TrackClock, KeepsAStreamsOwnTimeFromItsFirstCapture) {
  TrackClock clock = clock_from_anchor();
  for (int i = 0; i < 1000; ++i) {
    // Arrival jitters; the distance of frames does not.
    const std::int64_t late_ns = (i * 7 % 11) * kMs;
    const MediaTime made =
        clock.place(live(90 * kSecond + i * 40 * kMs, kAnchor + kSecond + i * 40 * kMs + late_ns));
    EXPECT_NEAR(static_cast<double>(made.time_ns), static_cast<double>(kSecond + i * 40 * kMs), 1e5);
    EXPECT_FALSE(made.jumped);
  }
}

// Eight hours of sound whose clock is fast or slow: never further from the machine's clock than a frame of
// film.
TEST(TrackClock, FollowsASoundCardThatDrifts) {
  for (const double ppm : {-150.0, -30.0, 30.0, 150.0}) {
    SCOPED_TRACE(ppm);
    TrackClock clock = clock_from_anchor();
    std::int64_t before_ns = -20 * kMs;
    for (std::int64_t i = 0; i < 8 * 3600 * 50; ++i) {
      const auto real_ns = static_cast<std::int64_t>(static_cast<double>(i) * 20e6 / (1 + ppm * 1e-6));
      const MediaTime made = clock.place(live(i * 20 * kMs, kAnchor + real_ns + (i * 5 % 7) * kMs));
      ASSERT_LT(std::abs(made.time_ns - real_ns), 15 * kMs) << i;
      ASSERT_FALSE(made.jumped);
      // No block is longer or shorter than a two-thousandth.
      ASSERT_LE(std::abs(made.time_ns - before_ns - 20 * kMs), 11'000);
      before_ns = made.time_ns;
    }
    ASSERT_TRUE(clock.drift_ppm().has_value());
    EXPECT_NEAR(*clock.drift_ppm(), ppm, 2.0);
  }
}

TEST(TrackClock, AnchorsAnewWhereTheCaptureTimeJumps) {
  TrackClock clock = clock_from_anchor();
  static_cast<void>(clock.place(live(0, kAnchor)));
  static_cast<void>(clock.place(live(20 * kMs, kAnchor + 20 * kMs)));
  // The camera was away for an hour, and counts from 0 again.
  const MediaTime made = clock.place(live(0, kAnchor + 3600 * kSecond));
  EXPECT_TRUE(made.jumped);
  EXPECT_EQ(made.time_ns, 3600 * kSecond);
  EXPECT_EQ(clock.place(live(20 * kMs, kAnchor + 3600 * kSecond + 21 * kMs)).time_ns,
            3600 * kSecond + 20 * kMs);
  EXPECT_EQ(clock.jump_count(), 1U);
}

TEST(TrackClock, NeverGoesBack) {
  TrackClock clock = clock_from_anchor();
  std::int64_t last_ns = -1;
  const std::int64_t pts_ms[] = {0, 40, 80, 60, 60, 120, 0, 9000, 160, 200};
  for (int i = 0; i < 10; ++i) {
    const MediaTime made = clock.place(live(pts_ms[i] * kMs, kAnchor + i * 40 * kMs));
    EXPECT_GT(made.time_ns, last_ns);
    EXPECT_LT(made.time_ns, (i * 40 + 250) * kMs);
    last_ns = made.time_ns;
  }
}

TEST(TrackClock, ABurstAfterAHiccupKeepsItsTimes) {
  TrackClock clock = clock_from_anchor();
  for (int i = 0; i < 25; ++i) static_cast<void>(clock.place(arrived(i * 40 * kMs, kAnchor + i * 40 * kMs)));
  // Half a second of silence, then twelve frames at once.
  for (int i = 25; i < 38; ++i) {
    const MediaTime made = clock.place(arrived(i * 40 * kMs, kAnchor + 37 * 40 * kMs));
    EXPECT_EQ(made.time_ns, i * 40 * kMs);
    EXPECT_FALSE(made.jumped);
  }
}

TEST(TrackClock, AStreamThatStaysLateIsPlacedAnew) {
  TrackClock clock = clock_from_anchor();
  MediaTime made;
  std::uint64_t jumped = 0;
  for (int i = 0; i < 100; ++i) {
    made = clock.place(arrived(i * 40 * kMs, kAnchor + i * 40 * kMs + (i < 20 ? 0 : 700 * kMs)));
    jumped += made.jumped ? 1 : 0;
  }
  EXPECT_EQ(jumped, 1U);
  EXPECT_EQ(made.time_ns, 99 * 40 * kMs + 700 * kMs);
}

TEST(TrackClock, CountsWhereThereAreNoTimes) {
  TrackClock clock = clock_from_anchor();
  FrameTimes frame;
  frame.duration_ns = 20 * kMs;
  for (int i = 0; i < 10; ++i) {
    frame.arrived_ns = kAnchor + kSecond + i * 20 * kMs + (i % 3) * kMs;
    EXPECT_EQ(clock.place(frame).time_ns, kSecond + i * 20 * kMs);
  }
  TrackClock pictures = clock_from_anchor();
  FrameTimes picture;
  for (int i = 0; i < 10; ++i) {
    picture.arrived_ns = kAnchor + kSecond + i * i * 10 * kMs;
    EXPECT_EQ(pictures.place(picture).time_ns, std::max(kSecond + i * i * 10 * kMs, std::int64_t{0}));
  }
}

TEST(TrackClock, ReorderedPicturesKeepTheirOrder) {
  TrackClock clock = clock_from_anchor();
  const std::int64_t pts_ms[] = {0, 120, 40, 80, 240, 160, 200};
  for (int i = 0; i < 7; ++i) {
    FrameTimes frame = live(pts_ms[i] * kMs, kAnchor + pts_ms[i] * kMs);
    frame.dts_ns = (i * 40 - 80) * kMs;
    frame.reordered = true;
    const MediaTime made = clock.place(frame);
    EXPECT_EQ(made.time_ns, pts_ms[i] * kMs);
    EXPECT_EQ(made.decode_ns, (i * 40 - 80) * kMs);
  }
}

}  // namespace
