#include <gtest/gtest.h>

#include <reel/pipeline/config.hpp>

namespace reel {
namespace {

PipelineConfig parse(const std::string& text) {
  return parse_pipeline(text, "dir/some.yaml");
}

constexpr const char* kIssue = R"(version: 1
name: faces
streams:
  camera: {slots: 8, checksum: full}
stages:
  camera:
    use: capture
    options: {uri: "${REEL_TEST_CLIP:-../apps/media/hello.mp4}", realtime: true}
    out: {video: camera, audio: microphone}
  faces:
    use: opencv.faces
    in: {stream: camera, policy: latest}
    out: faces
  overlay: {use: opencv.overlay, in: faces, out: annotated}
  level: {use: audio.level, in: microphone, out: loudness}
  screen:
    use: display
    in: [annotated, loudness]
    restart: on-failure
)";

TEST(Config, ReadsTheExampleOfTheDocumentation) {
  const PipelineConfig config = parse(kIssue);
  EXPECT_EQ(config.name, "faces");
  ASSERT_EQ(config.stages.size(), 5u);
  EXPECT_EQ(config.streams.at("camera").slots, 8u);
  const StageConfig& camera = config.stages[0];
  EXPECT_EQ(camera.where, "dir/some.yaml:6");
  EXPECT_EQ(camera.options.at("uri").text, "../apps/media/hello.mp4");
  EXPECT_EQ(camera.options.at("uri").where, "dir/some.yaml:8");
  ASSERT_EQ(camera.outputs.size(), 2u);
  EXPECT_EQ(camera.outputs[1].port, "audio");
  EXPECT_EQ(camera.outputs[1].stream, "microphone");
  EXPECT_EQ(config.stages[1].inputs.at(0).policy, Policy::latest);
  EXPECT_EQ(config.stages[1].outputs.at(0).port, "");
  EXPECT_EQ(config.stages[4].inputs.at(1).stream, "loudness");
  EXPECT_EQ(config.stages[4].inputs.at(1).policy, Policy::lossless);
}

TEST(Config, OutputsAreOneOrAListOrByPort) {
  const PipelineConfig config = parse(R"(
version: 1
stages:
  a: {use: x, out: [b, c]}
  d: {use: x, out: {video: [e, f], audio: g}}
)");
  const auto texts = [](const StageConfig& stage) {
    std::vector<std::string> all;
    for (const OutputConfig& output : stage.outputs) all.push_back(output.port + ":" + output.stream);
    return all;
  };
  EXPECT_EQ(texts(config.stages[0]), (std::vector<std::string>{":b", ":c"}));
  EXPECT_EQ(texts(config.stages[1]), (std::vector<std::string>{"video:e", "video:f", "audio:g"}));
}

TEST(Config, GivesEveryStreamKeyItsMeaning) {
  const PipelineConfig config = parse(R"(
version: 1
streams:
  cam:
    slots: 32
    slot_bytes: 6 MB
    max_bytes: 1GiB
    history: 3
    loans: 2
    side_data_bytes: 8192
    checksum: sampled
    live: true
    lag_frames: 4
    start_timeout: 500ms
    stall_timeout: 1.5min
    absence_timeout: 300ms
    memory: posix
stages: {a: {use: x, out: cam}}
)");
  const StreamConfig& cam = config.streams.at("cam");
  EXPECT_EQ(cam.slots, 32u);
  EXPECT_EQ(cam.slot_bytes, 6'000'000u);
  EXPECT_EQ(cam.max_bytes, std::uint64_t{1} << 30);
  EXPECT_EQ(cam.history, 3u);
  EXPECT_EQ(cam.loans, 2u);
  EXPECT_EQ(cam.side_data_bytes, 8192u);
  EXPECT_EQ(cam.checksum, ChecksumMode::sampled);
  EXPECT_TRUE(cam.live);
  EXPECT_EQ(cam.lag_frames, 4u);
  EXPECT_EQ(cam.start_timeout_ms, 500);
  EXPECT_EQ(cam.stall_timeout_ms, 90'000);
  EXPECT_EQ(cam.absence_timeout_ms, 300);
  EXPECT_EQ(cam.memory, SegmentKind::posix);
}

TEST(Config, GivesEveryStageKeyItsMeaning) {
  const PipelineConfig config = parse(R"(
version: 1
drain_timeout: 3
stop_timeout: 250ms
stages:
  a:
    use: x
    options: {n: 5, list: [p, "q r"]}
    restart: always
    restart_limit: 9
    restart_window: 1min
    restart_delay: 100ms
    restart_delay_max: 2s
    cpus: [0, 2]
    nice: 5
    environment: {KEY: "${HOME:-x}"}
)");
  EXPECT_EQ(config.drain_timeout_ms, 3000);
  EXPECT_EQ(config.stop_timeout_ms, 250);
  const StageConfig& stage = config.stages.at(0);
  EXPECT_EQ(stage.options.at("n").text, "5");
  EXPECT_TRUE(stage.options.at("list").is_list);
  EXPECT_EQ(stage.options.at("list").items, (std::vector<std::string>{"p", "q r"}));
  EXPECT_EQ(stage.restart.when, Restart::always);
  EXPECT_EQ(stage.restart.limit, 9u);
  EXPECT_EQ(stage.restart.window_ms, 60'000);
  EXPECT_EQ(stage.restart.first_delay_ms, 100);
  EXPECT_EQ(stage.restart.longest_delay_ms, 2000);
  EXPECT_EQ(stage.cpus, (std::vector<int>{0, 2}));
  EXPECT_EQ(stage.nice, 5);
  EXPECT_EQ(stage.environment.count("KEY"), 1u);
}

TEST(Config, TakesInputsInEveryForm) {
  const PipelineConfig config = parse(R"(
version: 1
stages:
  a:
    use: x
    in:
      video: {stream: one, max_pins: 3, verify: never, on_corrupted: deliver, start: oldest, every: 3}
      audio: [two, {stream: three, policy: queue}]
  b:
    use: x
    in: [four, {stream: five, port: side, max_fps: 12.5}]
)");
  const auto& a = config.stages.at(0).inputs;
  ASSERT_EQ(a.size(), 3u);
  EXPECT_EQ(a[0].port, "video");
  EXPECT_EQ(a[0].max_pins, 3u);
  EXPECT_FALSE(a[0].verify);
  EXPECT_TRUE(a[0].deliver_corrupted);
  EXPECT_EQ(a[0].start, Start::oldest);
  EXPECT_EQ(a[0].choice.every, 3u);
  EXPECT_TRUE(a[1].choice.all());
  EXPECT_EQ(a[1].port, "audio");
  EXPECT_EQ(a[1].stream, "two");
  EXPECT_EQ(a[2].port, "audio");
  EXPECT_EQ(a[2].policy, Policy::queue);
  const auto& b = config.stages.at(1).inputs;
  EXPECT_EQ(b.at(0).port, "");
  EXPECT_EQ(b.at(1).port, "side");
  EXPECT_EQ(b.at(1).choice.max_fps, 12.5);
}

TEST(Config, TakesAJoinAsAToleranceOrAMap) {
  const PipelineConfig config = parse(R"(
version: 1
stages:
  a: {use: x, in: [one, two], join: 20ms}
  b:
    use: x
    in: [one, two]
    join: {tolerance: 500us, time: capture, timeout: 1.5s}
  c: {use: x, in: [one, two]}
)");
  EXPECT_EQ(config.stages.at(0).join, (JoinRule{20'000'000, JoinTime::automatic, 0}));
  EXPECT_EQ(config.stages[0].join_where, "dir/some.yaml:4");
  EXPECT_EQ(config.stages.at(1).join, (JoinRule{500'000, JoinTime::capture, 1'500'000'000}));
  EXPECT_EQ(config.stages.at(2).join, std::nullopt);
}

TEST(Config, FillsInAnchorsAndMergeKeysAndLeavesFreeKeysAlone) {
  const PipelineConfig config = parse(R"(
version: 1
x-any: {thing: [1, 2], missing: "${REEL_TEST_NOT_SET}"}
x-base: &base {restart: never, nice: 3}
x-more: &more {nice: 7, restart_limit: 2}
stages:
  x-note: free here too
  a: {<<: *base, use: x, x-own: 1}
  b: {<<: [*base, *more], use: x, nice: 9}
)");
  EXPECT_EQ(config.stages.size(), 2u);
  EXPECT_EQ(config.stages[0].restart.when, Restart::never);
  EXPECT_EQ(config.stages[0].nice, 3);
  EXPECT_EQ(config.stages[1].nice, 9);
  EXPECT_EQ(config.stages[1].restart.when, Restart::never);
  EXPECT_EQ(config.stages[1].restart.limit, 2u);
}

TEST(Config, IsNamedAfterItsFileWhenItHasNoName) {
  EXPECT_EQ(parse("{version: 1, stages: {a: {use: x}}}").name, "some");
}

TEST(Config, TakesItsOwnDirectoryForRelativePaths) {
  const PipelineConfig config =
      parse_pipeline("{version: 1, stages: {a: {use: x}}}", "/one/two/../three/p.yaml");
  EXPECT_EQ(config.base_directory, "/one/three");
}

}  // namespace
}  // namespace reel
