// Every unit is in one file, once, in its order; files begin with key frames; nobody waits for who has gone.
#include <recorder/segmenter.hpp>

#include <algorithm>
#include <map>
#include <random>

#include <gmock/gmock.h>

namespace reel_test {
namespace {

using record::Segmenter;
using record::Unit;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kSecond = 1000 * kMs;

struct FileFacts {
  std::vector<std::size_t> tracks;
  std::int64_t start_ns = 0;
  std::vector<Unit> units;
  std::vector<std::size_t> left;
  bool closed = false;
  [[nodiscard]] std::vector<Unit> of(std::size_t track) const {
    std::vector<Unit> found;
    std::copy_if(units.begin(), units.end(), std::back_inserter(found),
                 [&](const Unit& unit) { return unit.track == track; });
    return found;
  }
};

class Files final : public record::SegmentFiles {
 public:
  std::unique_ptr<record::UnitFile> open(const std::vector<std::size_t>& tracks,
                                         std::int64_t start_ns) override {
    if (refuse) throw std::runtime_error("refused");
    files.push_back(std::make_shared<FileFacts>());
    files.back()->tracks = tracks;
    files.back()->start_ns = start_ns;
    return std::make_unique<File>(*this, files.back());
  }
  void close(std::unique_ptr<record::UnitFile> file) override {
    static_cast<File&>(*file).facts->closed = true;
  }
  void want_key_frame(std::size_t track) override { wanted.push_back(track); }
  void lose(const Unit& unit) override { lost.push_back(unit); }

  std::vector<std::shared_ptr<FileFacts>> files;
  std::vector<std::size_t> wanted;
  std::vector<Unit> lost;
  bool refuse = false;
  bool fail = false;

 private:
  struct File final : record::UnitFile {
    File(Files& owner, std::shared_ptr<FileFacts> its) : files(owner), facts(std::move(its)) {}
    void write(const Unit& unit) override {
      if (files.fail) throw std::runtime_error("failed");
      EXPECT_TRUE(std::count(facts->tracks.begin(), facts->tracks.end(), unit.track)) << unit.track;
      EXPECT_FALSE(std::count(facts->left.begin(), facts->left.end(), unit.track)) << unit.track;
      EXPECT_FALSE(facts->closed);
      facts->units.push_back(unit);
    }
    void leave(std::size_t track) override { facts->left.push_back(track); }
    std::uint64_t bytes() const override { return facts->units.size(); }
    Files& files;
    std::shared_ptr<FileFacts> facts;
  };
};

/// Tracks of steady units; the n-th push of a track is its n-th unit.
class Source {
 public:
  Source(Segmenter& segmenter, std::size_t track, std::int64_t step_ns, std::uint64_t key_every = 1)
      : segmenter_(segmenter), track_(track), step_ns_(step_ns), key_every_(key_every) {}
  /// Pushes all that begins before `until_ns`, as it would come live.
  void push_until(std::int64_t until_ns) {
    while (time_ns_ < until_ns) push();
  }
  void push() {
    Unit unit;
    unit.track = track_;
    unit.time_ns = unit.decode_ns = time_ns_;
    unit.duration_ns = step_ns_;
    unit.frame = frame_;
    unit.key = frame_ % key_every_ == 0;
    unit.caps = caps;
    time_ns_ += step_ns_;
    ++frame_;
    segmenter_.push(unit, clock_ns.value_or(unit.time_ns));
  }
  void pause(std::int64_t until_ns) {
    while (time_ns_ < until_ns) time_ns_ += step_ns_;
    frame_ = (frame_ / key_every_ + 1) * key_every_;
  }
  [[nodiscard]] std::int64_t time_ns() const { return time_ns_; }
  std::shared_ptr<GstCaps> caps;
  std::optional<std::int64_t> clock_ns;  // it stands still

 private:
  Segmenter& segmenter_;
  std::size_t track_;
  std::int64_t step_ns_;
  std::uint64_t key_every_;
  std::int64_t time_ns_ = 0;
  std::uint64_t frame_ = 0;
};

bool begins_with_key(const std::vector<Unit>& units) {
  return units.empty() || units.front().key;
}

std::vector<std::size_t> counts(const Files& files, std::size_t track) {
  std::vector<std::size_t> found;
  for (const auto& file : files.files) found.push_back(file->of(track).size());
  return found;
}

void expect_whole(const Files& files, std::size_t track, std::uint64_t frames) {
  std::uint64_t next = 0;
  for (const auto& file : files.files) {
    EXPECT_TRUE(file->closed);
    for (const Unit& unit : file->of(track)) EXPECT_EQ(unit.frame, next++) << "track " << track;
  }
  EXPECT_EQ(next, frames);
}

Segmenter::Settings settings(std::int64_t segment_ns = 2 * kSecond) {
  Segmenter::Settings made;
  made.segment_ns = segment_ns;
  return made;
}

TEST(Segmenter, CutsVideoAtKeyFrames) {
  Files files;
  Segmenter segmenter(settings(), {true}, files);
  Source video(segmenter, 0, 40 * kMs, 25);
  video.push_until(7 * kSecond);
  segmenter.finish();
  EXPECT_THAT(counts(files, 0), ElementsAre(50, 50, 50, 25));
  expect_whole(files, 0, 175);
  for (const auto& file : files.files) EXPECT_TRUE(file->units.front().key);
}

TEST(Segmenter, CutsAtTheNextKeyFrameWhereNoneIsDue) {
  Files files;
  Segmenter segmenter(settings(), {true}, files);
  Source video(segmenter, 0, 100 * kMs, 30);
  video.push_until(9 * kSecond);
  segmenter.finish();
  EXPECT_THAT(counts(files, 0), ElementsAre(30, 30, 30));
}

TEST(Segmenter, DoesNotMindRoundedTimes) {
  Files files;
  Segmenter segmenter(settings(), {true}, files);
  Source video(segmenter, 0, 33'333'333, 30);
  video.push_until(5 * kSecond + 900 * kMs);
  segmenter.finish();
  EXPECT_THAT(counts(files, 0), ElementsAre(60, 60, 58));
}

TEST(Segmenter, PutsSoundIntoTheFileInWhoseTimeItBegins) {
  for (const std::int64_t late : {-700 * kMs, 0 * kMs, 700 * kMs}) {
    Files files;
    Segmenter segmenter(settings(), {true, false}, files);
    Source video(segmenter, 0, 40 * kMs, 25);
    Source sound(segmenter, 1, 21'333'333);
    for (std::int64_t t = 0; t < 7 * kSecond; t += 10 * kMs) {
      video.push_until(t);
      sound.push_until(t - late);
    }
    segmenter.finish();
    EXPECT_THAT(counts(files, 0), ElementsAre(50, 50, 50, 25)) << late;
    expect_whole(files, 0, 175);
    for (std::size_t i = 0; i < files.files.size(); ++i) {
      const FileFacts& file = *files.files[i];
      EXPECT_THAT(file.tracks, ElementsAre(0, 1));
      for (const Unit& unit : file.of(1)) {
        EXPECT_GE(unit.time_ns + unit.duration_ns / 2, file.start_ns);
        if (i + 1 == files.files.size()) continue;
        EXPECT_LT(unit.time_ns + unit.duration_ns / 2, files.files[i + 1]->start_ns);
      }
    }
    const std::vector<std::size_t> sounds = counts(files, 1);
    EXPECT_EQ(sounds[0], 94U) << late;  // of 2 s
  }
}

TEST(Segmenter, DoesNotMindSoundThatIsFarAhead) {
  for (const bool ends : {false, true}) {
    Files files;
    Segmenter segmenter(settings(), {true, false}, files);
    Source video(segmenter, 0, 40 * kMs, 25);
    Source sound(segmenter, 1, 20 * kMs);
    sound.clock_ns = video.clock_ns = 0;
    sound.push_until(7 * kSecond);
    if (ends) segmenter.leave(1);
    video.push_until(7 * kSecond);
    segmenter.finish();
    EXPECT_THAT(counts(files, 0), ElementsAre(50, 50, 50, 25));
    EXPECT_THAT(counts(files, 1), ElementsAre(100, 100, 100, 50));
  }
}

TEST(Segmenter, CutsSoundAloneAnywhere) {
  Files files;
  Segmenter segmenter(settings(), {false}, files);
  Source sound(segmenter, 0, 20 * kMs);
  sound.push_until(5 * kSecond);
  segmenter.finish();
  EXPECT_THAT(counts(files, 0), ElementsAre(100, 100, 50));
}

TEST(Segmenter, ChangesFilesOfOtherVideoAtItsOwnKeyFrames) {
  Files files;
  Segmenter segmenter(settings(), {true, true}, files);
  Source video(segmenter, 0, 40 * kMs, 25);
  Source other(segmenter, 1, 100 * kMs, 7);
  for (std::int64_t t = 0; t < 8 * kSecond; t += 10 * kMs) {
    video.push_until(t);
    other.push_until(t);
  }
  segmenter.finish();
  expect_whole(files, 0, 200);
  expect_whole(files, 1, 80);
  for (const auto& file : files.files) {
    EXPECT_TRUE(file->of(0).front().key);
    EXPECT_TRUE(file->of(1).front().key);
    EXPECT_GE(file->of(1).front().time_ns, file->start_ns);
  }
  EXPECT_THAT(files.wanted, ::testing::Each(1U));
}

TEST(Segmenter, CutsBySize) {
  Files files;  // a unit is a byte
  Segmenter::Settings small = settings();
  small.segment_bytes = 20;
  Segmenter segmenter(small, {true}, files);
  Source video(segmenter, 0, 40 * kMs, 10);
  video.push_until(2 * kSecond);
  segmenter.finish();
  EXPECT_THAT(counts(files, 0), ElementsAre(20, 20, 10));
}

TEST(Segmenter, DoesNotWaitForATrackThatHasGone) {
  Files files;
  Segmenter segmenter(settings(), {true, false}, files);
  Source video(segmenter, 0, 40 * kMs, 25);
  Source sound(segmenter, 1, 20 * kMs);
  for (std::int64_t t = 0; t < kSecond; t += 10 * kMs) {
    video.push_until(t);
    sound.push_until(t);
  }
  const std::uint64_t sounds = static_cast<std::uint64_t>(sound.time_ns() / (20 * kMs));
  video.push_until(3 * kSecond);
  // The picture as well, which went on to the next file: the muxer of this one waits for neither.
  EXPECT_THAT(files.files[0]->left, UnorderedElementsAre(0, 1));
  EXPECT_TRUE(files.files[0]->closed);
  EXPECT_THAT(files.files[1]->tracks, ElementsAre(0));
  sound.pause(3 * kSecond);
  video.push_until(3 * kSecond + 100 * kMs);
  sound.push_until(3 * kSecond + 100 * kMs);
  for (std::int64_t t = 3 * kSecond + 100 * kMs; t < 4 * kSecond + 500 * kMs; t += 10 * kMs) {
    video.push_until(t);
    sound.push_until(t);
  }
  EXPECT_THAT(files.files[2]->tracks, ElementsAre(0, 1)) << "it has come back";
  segmenter.finish();
  EXPECT_EQ(files.files[0]->of(1).size(), sounds);
  std::uint64_t videos = 0;
  for (const std::size_t count : counts(files, 0)) videos += count;
  expect_whole(files, 0, videos);
  EXPECT_FALSE(files.files[2]->of(1).empty());
}

TEST(Segmenter, GoesOnWithSoundWhileThePictureIsAway) {
  Files files;
  Segmenter segmenter(settings(), {true, false}, files);
  Source video(segmenter, 0, 40 * kMs, 25);
  Source sound(segmenter, 1, 20 * kMs);
  video.push_until(kSecond);
  sound.push_until(9 * kSecond);
  EXPECT_GE(files.files.size(), 4U);
  video.pause(9 * kSecond);
  for (std::int64_t t = 9 * kSecond; t < 14 * kSecond; t += 10 * kMs) {
    video.push_until(t);
    sound.push_until(t);
  }
  segmenter.finish();
  expect_whole(files, 1, 700);
  EXPECT_TRUE(files.files.back()->of(0).front().key);
  EXPECT_GE(counts(files, 0)[0], 25U);
}

TEST(Segmenter, BeginsWithoutWhatDoesNotCome) {
  Files files;
  Segmenter segmenter(settings(), {true, false}, files);
  Source video(segmenter, 0, 40 * kMs, 25);
  video.push_until(kSecond);
  EXPECT_TRUE(files.files.empty()) << "sound may come yet";
  EXPECT_EQ(segmenter.held_bytes(), 0U);
  video.push_until(2 * kSecond + 100 * kMs);
  ASSERT_EQ(files.files.size(), 2U);
  EXPECT_THAT(files.files[0]->tracks, ElementsAre(0));
  segmenter.finish();
  expect_whole(files, 0, 53);
}

TEST(Segmenter, BeginsANewFileWhereAFormatChanges) {
  Files files;
  Segmenter segmenter(settings(10 * kSecond), {true, false}, files);
  Source video(segmenter, 0, 40 * kMs, 25);
  Source sound(segmenter, 1, 20 * kMs);
  gst_init(nullptr, nullptr);
  const auto caps = [](const char* text) {
    return std::shared_ptr<GstCaps>(gst_caps_from_string(text), [](GstCaps* it) { gst_caps_unref(it); });
  };
  const auto run = [&](std::int64_t from_ns, std::int64_t until_ns) {
    for (std::int64_t t = from_ns; t <= until_ns; t += 10 * kMs) {
      video.push_until(t);
      sound.push_until(t);
    }
  };
  video.caps = caps("video/x-h264,width=320");
  run(0, kSecond);
  video.caps = caps("video/x-h264,width=320");
  run(kSecond, 2 * kSecond);
  EXPECT_EQ(files.files.size(), 1U) << "the same again is no change";
  video.caps = caps("video/x-h264,width=640");
  run(2 * kSecond, 3 * kSecond);
  segmenter.finish();
  EXPECT_THAT(counts(files, 0), ElementsAre(50, 25));
  EXPECT_THAT(counts(files, 1), ElementsAre(100, 50));
}

TEST(Segmenter, KeepsWhatCouldNotBeWrittenForTheNextFile) {
  Files files;
  Segmenter segmenter(settings(), {true}, files);
  Source video(segmenter, 0, 40 * kMs, 25);
  video.push_until(kSecond);
  files.fail = true;
  EXPECT_THROW(video.push(), std::runtime_error);
  segmenter.drop_files();
  files.refuse = true;
  EXPECT_THROW(video.push(), std::runtime_error);
  files.refuse = files.fail = false;
  video.push_until(2 * kSecond);
  segmenter.finish();
  EXPECT_THAT(counts(files, 0), ElementsAre(25, 25));
  EXPECT_TRUE(files.files[0]->closed) << "as it was";
  EXPECT_TRUE(files.lost.empty());
}

TEST(Segmenter, LosesWhatCannotBeDecodedAfterAnErrorAndAsksForAKeyFrame) {
  Files files;
  Segmenter segmenter(settings(), {true, false}, files);
  Source video(segmenter, 0, 40 * kMs, 25);
  Source sound(segmenter, 1, 20 * kMs);
  video.push_until(kSecond + 200 * kMs);
  sound.push_until(kSecond + 200 * kMs);
  files.fail = true;
  EXPECT_THROW(video.push(), std::runtime_error);
  segmenter.drop_files();
  EXPECT_THAT(files.wanted, ElementsAre(0));
  files.fail = false;
  for (std::int64_t t = kSecond + 200 * kMs; t < 3 * kSecond; t += 10 * kMs) {
    video.push_until(t);
    sound.push_until(t);
  }
  segmenter.finish();
  ASSERT_GE(files.files.size(), 2U);
  EXPECT_EQ(files.lost.size(), 20U) << "from the one that failed to the next key frame";
  std::uint64_t next = 0;
  for (const auto& file : files.files) {
    EXPECT_TRUE(file->closed);
    EXPECT_TRUE(begins_with_key(file->of(0)));
    for (const Unit& unit : file->of(0)) {
      if (next == files.lost.front().frame) next += files.lost.size();
      EXPECT_EQ(unit.frame, next++);
    }
  }
  EXPECT_EQ(next, 75U);
  EXPECT_THAT(files.wanted, ElementsAre(0)) << "once is enough";
}

TEST(Segmenter, BeginsVideoThatComesBackWithAKeyFrame) {
  Files files;
  Segmenter segmenter(settings(10 * kSecond), {true, true}, files);
  Source video(segmenter, 0, 40 * kMs, 25);
  Source other(segmenter, 1, 40 * kMs, 25);
  video.push_until(kSecond);
  other.push_until(kSecond);
  segmenter.leave(1);
  EXPECT_THAT(files.wanted, ElementsAre(1)) << "for when it is back";
  video.push_until(2 * kSecond);
  other.push_until(kSecond + 40 * kMs);  // a key frame
  const std::size_t with_it = files.files.size();
  other.push_until(kSecond + 80 * kMs);
  segmenter.leave(1);
  video.push_until(2 * kSecond + 40 * kMs);
  other.push_until(kSecond + 200 * kMs);
  EXPECT_EQ(files.files.size(), with_it) << "nothing that could go into a new file";
  EXPECT_EQ(files.lost.size(), 3U);
  video.push_until(4 * kSecond);
  other.push_until(4 * kSecond);
  segmenter.finish();
  for (const auto& file : files.files) EXPECT_TRUE(begins_with_key(file->of(1)));
  std::size_t written = 0;
  for (const std::size_t count : counts(files, 1)) written += count;
  EXPECT_EQ(written + files.lost.size(), 100U);
}

TEST(Segmenter, DoesNotCutAgainBeforeOtherVideoHasReachedTheFile) {
  Files files;
  Segmenter segmenter(settings(kSecond), {true, true}, files);
  Source video(segmenter, 0, 40 * kMs, 25);
  Source other(segmenter, 1, 40 * kMs, 60);
  for (std::int64_t t = 0; t < 12 * kSecond; t += 10 * kMs) {
    video.push_until(t);
    other.push_until(t);
  }
  segmenter.finish();
  EXPECT_TRUE(files.lost.empty());
  expect_whole(files, 0, 300);
  expect_whole(files, 1, 300);
  for (const auto& file : files.files) {
    EXPECT_TRUE(file->of(0).front().key);
    EXPECT_TRUE(begins_with_key(file->of(1)));
  }
}

TEST(Segmenter, BeginsAnewAfterItsEnd) {
  Files files;
  Segmenter segmenter(settings(), {true, false}, files);
  Source video(segmenter, 0, 40 * kMs, 25);
  Source sound(segmenter, 1, 20 * kMs);
  for (std::int64_t end = 1; end <= 2; ++end) {
    video.push_until(end * kSecond);
    sound.push_until(end * kSecond);
    segmenter.finish();
  }
  EXPECT_THAT(counts(files, 0), ElementsAre(25, 25));
  EXPECT_THAT(counts(files, 1), ElementsAre(50, 50));
}

TEST(Segmenter, LosesAndDoublesNothingWhateverComes) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    Files files;
    Segmenter segmenter(settings(), {true, false, true, false}, files);
    std::vector<Source> sources{{segmenter, 0, 40 * kMs, 25},
                                {segmenter, 1, 21'333'333},
                                {segmenter, 2, 100 * kMs, 7},
                                {segmenter, 3, 20 * kMs}};
    std::vector<std::uint64_t> pushed(sources.size());
    std::vector<bool> away(sources.size());
    for (std::int64_t t = 0; t < 20 * kSecond; t += 10 * kMs) {
      for (std::size_t i = 0; i < sources.size(); ++i) {
        if (random() % 300 == 0) {
          away[i] = !away[i];
          if (away[i] && random() % 2 == 0) segmenter.leave(i);
          sources[i].pause(t);
        }
        if (away[i]) continue;
        while (sources[i].time_ns() < t - static_cast<std::int64_t>(random() % 100) * kMs) {
          sources[i].push();
          ++pushed[i];
        }
      }
    }
    segmenter.finish();
    for (std::size_t i = 0; i < sources.size(); ++i) {
      std::vector<std::uint64_t> frames;
      for (const auto& file : files.files)
        for (const Unit& unit : file->of(i)) frames.push_back(unit.frame);
      const auto lost = std::count_if(files.lost.begin(), files.lost.end(),
                                      [&](const Unit& unit) { return unit.track == i; });
      EXPECT_EQ(frames.size() + static_cast<std::size_t>(lost), pushed[i])
          << "seed " << seed << ", track " << i;
      for (const auto& file : files.files)
        EXPECT_TRUE(i % 2 != 0 || begins_with_key(file->of(i))) << "seed " << seed << ", track " << i;
      EXPECT_TRUE(std::is_sorted(frames.begin(), frames.end(), std::less_equal<>())) << "seed " << seed;
    }
    EXPECT_EQ(segmenter.held_bytes(), 0U);
    for (const auto& file : files.files) EXPECT_TRUE(file->closed) << "seed " << seed;
  }
}

}  // namespace
}  // namespace reel_test
