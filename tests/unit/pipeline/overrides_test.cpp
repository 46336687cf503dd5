// --set, through the whole of the configuration: what it changes is checked like what stands in the file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <reel/base/error.hpp>
#include <reel/pipeline/config.hpp>

namespace reel {
namespace {

using ::testing::HasSubstr;

constexpr const char* kText = R"(version: 1
streams: {front.door: {slots: 9}}
stages:
  camera: {use: capture, options: {uri: a}, out: front.door}
  other: {use: capture}
)";

PipelineConfig with(const std::vector<std::string>& overrides) {
  return parse_pipeline(kText, "p.yaml", overrides);
}

std::string error_with(const std::string& override) {
  try {
    static_cast<void>(with({override}));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_config);
    EXPECT_EQ(error.where(), "--set " + override);
    return error.what();
  }
  return "no error";
}

TEST(Overrides, ChangeAndAddOptions) {
  const PipelineConfig config = with({"camera.uri=b=c", "other.uri=d", "camera.loop=true"});
  EXPECT_EQ(config.stages[0].options.at("uri").text, "b=c");
  EXPECT_EQ(config.stages[0].options.at("uri").where, "--set camera.uri=b=c");
  EXPECT_EQ(config.stages[0].options.at("loop").text, "true");
  EXPECT_EQ(config.stages[1].options.at("uri").text, "d");
}

TEST(Overrides, ChangeStreamsWhoseNamesHoldDots) {
  EXPECT_EQ(with({"streams.front.door.slots=16"}).streams.at("front.door").slots, 16u);
}

TEST(Overrides, ChangeKeysOfStages) {
  EXPECT_EQ(with({"stages.camera.restart=never"}).stages[0].restart.when, Restart::never);
}

TEST(Overrides, LetTheLastOneWin) {
  EXPECT_EQ(with({"camera.uri=1", "camera.uri=2"}).stages[0].options.at("uri").text, "2");
}

TEST(Overrides, TakeListsAsYaml) {
  const auto items = with({"camera.names=[a, 'b c']"}).stages[0].options.at("names").items;
  EXPECT_EQ(items, (std::vector<std::string>{"a", "b c"}));
}

TEST(Overrides, SayWhichValueCannotBeRead) {
  EXPECT_THAT(error_with("camera.width=[1"),
              testing::HasSubstr("width=[1: '[1' cannot be read as a list or map: "));
}

TEST(Overrides, LeaveDollarsAlone) {
  EXPECT_EQ(with({"camera.uri=${REEL_TEST_NOT_SET}"}).stages[0].options.at("uri").text,
            "${REEL_TEST_NOT_SET}");
}

TEST(Overrides, NameAStageThatIsNotThere) {
  EXPECT_THAT(error_with("camra.uri=x"),
              HasSubstr("there is no stage 'camra'; did you mean 'camera'? (stages: camera, other)"));
}

TEST(Overrides, AreCheckedLikeTheFile) {
  EXPECT_THAT(error_with("streams.front.door.slots=1"), HasSubstr("from 2 to 256"));
  EXPECT_THAT(error_with("streams.front.door.slot=9"), HasSubstr("did you mean 'slots'?"));
  EXPECT_THAT(error_with("stages.camera.restart=no"), HasSubstr("never, on-failure or always"));
  EXPECT_THAT(error_with("streams.Bad.slots=9"), HasSubstr("no stream name"));
}

TEST(Overrides, AreRefusedInAnyOtherForm) {
  for (const char* text :
       {"", "camera", "camera=1", "camera.uri", ".uri=1", "camera.=1", "streams.slots=1", "="})
    EXPECT_THAT(error_with(text), HasSubstr("write stage.option=value")) << text;
}

}  // namespace
}  // namespace reel
