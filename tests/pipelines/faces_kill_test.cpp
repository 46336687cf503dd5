// Must be shown: every stage of the faces pipeline is a process of its own that cannot write what it reads,
// and each may be killed without harm to the others.
#include "faces_pipeline.hpp"

#include <csignal>
#include <set>

#include <gmock/gmock.h>
#include <reel_test/process_facts.hpp>
#include <reel_test/run_reel.hpp>

namespace reel_test {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr long kFrames = 20;

// The stage of a reader's name: "faces/screen.in1" is the stage screen.
std::string stage_of(const std::string& reader) {
  const std::size_t begin = reader.find('/') + 1;
  return reader.substr(begin, reader.find('.', begin) - begin);
}

/// How a process has mapped the payload of a stream: "r--s".
std::vector<std::string> payload_permissions(const std::string& stream, pid_t pid) {
  std::vector<std::string> permissions;
  for (const Mapping& mapping : mappings_of("." + stream + ".", pid))
    if (mapping.path.find(".payload") != std::string::npos) permissions.push_back(mapping.permissions);
  return permissions;
}

TEST(FacesPipeline, GivesEachStageAProcessThatCannotWriteWhatItReads) {
  const TempRuntimeDir runtime;
  FacesPipeline faces;
  ASSERT_TRUE(faces.goes_on(kFrames)) << faces.running().log();
  const ReelRun ls = run_reel({"ls", "--json"});
  ASSERT_EQ(ls.status, 0) << ls.errors;
  const std::map<std::string, std::string> writers{
      {faces.stream("camera"), "camera"},  {faces.stream("microphone"), "camera"},
      {faces.stream("faces"), "faces"},    {faces.stream("annotated"), "overlay"},
      {faces.stream("loudness"), "level"}, {faces.stream("numbers"), "numbers"}};
  std::map<std::string, pid_t> listed;
  const nlohmann::json streams = ls.json();
  EXPECT_EQ(streams.size(), writers.size());
  for (const auto& stream : streams) {
    const std::string name = stream["name"];
    const pid_t writer = stream["writer_pid"];
    listed[writers.at(name)] = writer;
    EXPECT_THAT(payload_permissions(name, writer), Contains("rw-s")) << name;
    EXPECT_THAT(stream["readers"], Not(IsEmpty())) << name;
    for (const auto& reader : stream["readers"]) {
      const pid_t pid = reader["pid"];
      listed[stage_of(reader["name"])] = pid;
      EXPECT_THAT(payload_permissions(name, pid), Not(IsEmpty())) << reader;
      EXPECT_THAT(payload_permissions(name, pid), Each("r--s")) << reader;
    }
  }
  EXPECT_EQ(listed, faces.pids());
  std::set<pid_t> different;
  for (const auto& [stage, pid] : listed) different.insert(pid);
  EXPECT_EQ(different.size(), FacesPipeline::kStages.size() + FacesPipeline::kUntouched.size());
  faces.finish();
}

TEST(FacesPipeline, GoesOnWhenEachStageIsKilledInTurn) {
  const TempRuntimeDir runtime;  // fails the test when anything is left in it
  FacesPipeline faces;
  std::map<std::string, pid_t> pids = faces.pids();
  ASSERT_TRUE(faces.goes_on(kFrames)) << faces.running().log();
  EXPECT_THAT(shm_entries(faces.prefix()), Not(IsEmpty()));
  for (const char* killed : FacesPipeline::kStages) {
    ASSERT_EQ(::kill(pids[killed], SIGKILL), 0);
    pids[killed] = faces.running().wait_for_stage(killed, pids[killed]);
    ASSERT_TRUE(faces.goes_on(kFrames)) << "after " << killed << ": " << faces.running().log();
    EXPECT_EQ(faces.pids(), pids) << "after " << killed;
  }
  faces.finish();
  for (const char* stage : FacesPipeline::kStages)
    EXPECT_EQ(faces.running().stage_summary(stage)["restarts"], 1) << stage;
  for (const char* stage : FacesPipeline::kUntouched)
    EXPECT_EQ(faces.running().stage_summary(stage)["restarts"], 0) << stage;
  const nlohmann::json summary = faces.running().summary();
  for (const auto& stage : summary["stages"]) {
    for (const auto& input : stage["inputs"]) EXPECT_EQ(input["corrupted"], 0) << stage;
  }
  const nlohmann::json witness = faces.running().verdict("witness");
  EXPECT_EQ(witness["gaps"], 0) << witness;
  EXPECT_EQ(witness["corrupted"], 0) << witness;
  EXPECT_EQ(witness["frames"], faces.running().stage_summary("numbers")["outputs"][0]["frames"]);
  EXPECT_THAT(shm_entries(faces.prefix()), IsEmpty());
}

}  // namespace
}  // namespace reel_test
