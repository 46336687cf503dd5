// A stage of sound between streams of the test. Single-thread.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <numbers>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <reel_test/running_stage.hpp>
#include <reel_test/runtime_dir.hpp>

#include <reel/channel/frame_reader.hpp>
#include <reel/channel/frame_writer.hpp>

/// `frames` sample frames of a sine, the same in every channel.
inline std::vector<float> sine(double hz, float amplitude, int frames, const reel::AudioFormat& format) {
  std::vector<float> samples;
  for (int i = 0; i < frames; ++i)
    for (std::uint32_t channel = 0; channel < format.channels; ++channel)
      samples.push_back(amplitude *
                        static_cast<float>(std::sin(2 * std::numbers::pi * hz * i / format.rate_hz)));
  return samples;
}

/// Samples as bytes of a frame.
template <typename Sample>
std::vector<std::byte> bytes_of(const std::vector<Sample>& samples) {
  const auto bytes = std::as_bytes(std::span(samples));
  return {bytes.begin(), bytes.end()};
}
/// A frame's samples.
template <typename Sample>
std::vector<Sample> samples_of(const reel::Frame& frame) {
  std::vector<Sample> samples(frame.data().size() / sizeof(Sample));
  std::memcpy(samples.data(), frame.data().data(), samples.size() * sizeof(Sample));
  return samples;
}

class Sound : public ::testing::Test {
 protected:
  void start(const std::string& plugin, const std::vector<reel::Format>& inputs,
             const std::map<std::string, std::string>& options = {}, std::uint32_t side_data_bytes = 4096) {
    reel::StageSetup setup;
    setup.name = "filter";
    setup.plugin = plugin;
    setup.options = reel_test::options(options);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::string stream = reel_test::unique_name("sound");
      const std::string name = "filter" + std::to_string(i);
      reel::WriterOptions writer;
      writer.wait_for = {name};
      writers_.emplace_back(stream, inputs[i], writer);
      reel::ReaderOptions reader;
      reader.name = name;
      reader.policy = reel::Policy::lossless;
      setup.inputs.push_back({"in", stream, reader});
    }
    reel::WriterOptions out;
    out.wait_for = {"test"};
    out.side_data_bytes = side_data_bytes;
    setup.outputs = {{"out", out_, out}};
    stage_.emplace(setup);
    reel::ReaderOptions test;
    test.name = "test";
    test.policy = reel::Policy::lossless;
    reader_.emplace(out_, test);
  }
  template <typename Sample>
  void send(std::size_t input, const std::vector<Sample>& samples, const reel::FrameInfo& info = {},
            const char* json = nullptr) {
    reel::Loan loan;
    const std::vector<std::byte> bytes = bytes_of(samples);
    ASSERT_EQ(writers_[input].acquire(loan, bytes.size()), reel::WriteStatus::ok);
    ASSERT_TRUE(loan.copy_from(bytes));
    if (json != nullptr) {
      ASSERT_TRUE(loan.side_data().add_json("speech", json));
    }
    ASSERT_EQ(writers_[input].publish(std::move(loan), info), reel::WriteStatus::ok);
  }
  reel::Frame next() {
    reel::Frame frame;
    EXPECT_EQ(to_string(reader_->read(frame, 60'000)), "frame") << reader_->error();
    return frame;
  }
  void expect_end() {
    reel::Frame frame;
    EXPECT_EQ(to_string(reader_->read(frame, 60'000)), "ended");
    stage_->join();
  }
  /// What the entry of that name says; null where there is none.
  static nlohmann::json json_of(const reel::Frame& frame, std::string_view name) {
    for (const auto& entry : frame.side_data())
      if (entry.type == reel::SideDataType::json && entry.name == name) {
        const auto* text = reinterpret_cast<const char*>(entry.data.data());
        return nlohmann::json::parse(text, text + entry.data.size());
      }
    return nullptr;
  }
  static reel::FrameInfo at_ms(std::int64_t ms) {
    reel::FrameInfo info;
    info.pts_ns = ms * 1'000'000;
    return info;
  }

  reel_test::TempRuntimeDir directory_;
  std::string out_ = reel_test::unique_name("out");
  std::vector<reel::FrameWriter> writers_;
  std::optional<reel::FrameReader> reader_;
  std::optional<reel_test::RunningStage> stage_;
};
