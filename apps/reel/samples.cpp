#include "samples.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace {

const reel::StageReport* find(const reel::PipelineStatus& status, const std::string& stage) {
  // The last of a name: one that was taken out and added again stands behind.
  const auto& stages = status.report.stages;
  const auto found =
      std::find_if(stages.rbegin(), stages.rend(), [&](const auto& each) { return each.name == stage; });
  return found == stages.rend() ? nullptr : &*found;
}

const reel::InputReport* find_input(const reel::StageReport* stage, const reel::InputReport& like) {
  if (stage == nullptr) return nullptr;
  for (const reel::InputReport& input : stage->inputs)
    if (input.stream == like.stream && input.port == like.port) return &input;
  return nullptr;
}

struct Published {
  std::uint64_t frames = 0, bytes = 0;
};

const std::string& writer_of(const reel::PipelineStatus& status, const std::string& stream) {
  static const std::string kNobody;
  for (const reel::StreamEdges& edges : status.streams)
    if (edges.stream == stream) return edges.writer;
  return kNobody;
}

Published published(const reel::PipelineStatus& status, const std::string& writer,
                    const std::string& stream) {
  if (const reel::StageReport* stage = find(status, writer))
    for (const reel::OutputReport& output : stage->outputs)
      if (output.stream == stream) return {output.frames, output.bytes};
  Published most;
  for (const reel::StageReport& stage : status.report.stages)
    for (const reel::InputReport& input : stage.inputs)
      if (input.stream == stream && find(status, stage.name) == &stage)
        most.frames = std::max(most.frames, input.frames);
  return most;
}

// Counters of a stage that was replaced begin anew.
double difference(std::uint64_t before, std::uint64_t now) {
  return now >= before ? static_cast<double>(now - before) : static_cast<double>(now);
}

}  // namespace

double PipelineSample::seconds() const {
  return std::max(1e-3, now.report.seconds - before.report.seconds);
}

bool PipelineSample::in_pipeline(const reel::StageReport& stage) const {
  return find(now, stage.name) == &stage &&
         std::find(now.stages.begin(), now.stages.end(), stage.name) != now.stages.end();
}

double PipelineSample::rate_of(const std::string& stream) const {
  const std::string& writer = writer_of(now, stream);
  return difference(published(before, writer, stream).frames, published(now, writer, stream).frames) /
         seconds();
}

double PipelineSample::bytes_per_second_of(const std::string& stream) const {
  const std::string& writer = writer_of(now, stream);
  return difference(published(before, writer, stream).bytes, published(now, writer, stream).bytes) /
         seconds();
}

double PipelineSample::cpu_percent(const std::string& stage) const {
  const reel::StageReport* was = find(before, stage);
  const reel::StageReport* is = find(now, stage);
  if (is == nullptr) return 0;
  const double used = is->cpu_seconds - (was == nullptr ? 0 : was->cpu_seconds);
  return std::max(0.0, 100 * used / seconds());
}

double PipelineSample::rate_of(const std::string& stage, const reel::InputReport& input) const {
  const reel::InputReport* was = find_input(find(before, stage), input);
  return difference(was == nullptr ? 0 : was->frames, input.frames) / seconds();
}

PipelineSample sample_pipeline(const std::string& name, int window_ms) {
  reel::PipelineControl pipeline(name);
  PipelineSample sample{pipeline.status(), {}};
  std::this_thread::sleep_for(std::chrono::milliseconds(window_ms));
  sample.now = pipeline.status();
  return sample;
}
