#include "ports.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/base/log.hpp>
#include <reel/base/text.hpp>

namespace reel {
namespace {

std::uint32_t media_bit(const Format& format) noexcept {
  switch (format.kind()) {
    case MediaKind::video: return kTakesVideo;
    case MediaKind::audio: return kTakesAudio;
    case MediaKind::encoded: return kTakesEncoded;
    case MediaKind::bytes: return kTakesBytes;
  }
  return 0;
}

std::string media_text(std::uint32_t media) {
  static constexpr std::array<std::pair<std::uint32_t, const char*>, 4> kNames{
      {{kTakesVideo, "video"},
       {kTakesAudio, "audio"},
       {kTakesEncoded, "encoded streams"},
       {kTakesBytes, "opaque bytes"}}};
  std::vector<std::string> names;
  for (const auto& [bit, name] : kNames)
    if ((media & bit) != 0) names.emplace_back(name);
  return join_or(names);
}

void put_name(std::array<char, 64>& place, std::string_view name) noexcept {
  place.fill('\0');
  std::copy_n(name.begin(), std::min(name.size(), place.size() - 1), place.begin());
}

void put(std::atomic<std::uint64_t>& counter, std::uint64_t value) noexcept {
  counter.store(value, std::memory_order_relaxed);
}
std::uint64_t get(const std::atomic<std::uint64_t>& counter) noexcept {
  return counter.load(std::memory_order_relaxed);
}

const PortSpec& find_port(std::span<const PortSpec> ports, const std::string& name, const char* what,
                          const Plugin& plugin) {
  std::vector<std::string> names;
  for (const PortSpec& port : ports) {
    if (name == port.name) return port;
    names.emplace_back(port.name);
  }
  if (names.empty())
    throw Error(ErrorCode::bad_config, fmt::format("{} has no {}s: \"{}\" cannot be connected",
                                                   plugin.descriptor().name, what, name));
  const auto near = nearest_name(name, names);
  throw Error(ErrorCode::bad_config,
              fmt::format("{} has no {} \"{}\"{}; its {}s are {}", plugin.descriptor().name, what, name,
                          near ? fmt::format(": did you mean \"{}\"?", *near) : "", what, join_or(names)));
}

// `Setup` is InputSetup or OutputSetup.
template <typename Setup>
void check_ports(std::span<const PortSpec> ports, const std::vector<Setup>& connected, const char* what,
                 const Plugin& plugin) {
  if (connected.size() > kMaxPorts)
    throw Error(ErrorCode::bad_config,
                fmt::format("{} {}s are connected; {} is the limit", connected.size(), what, kMaxPorts));
  for (const Setup& setup : connected) (void)find_port(ports, setup.port, what, plugin);
  for (const PortSpec& port : ports) {
    const auto streams = std::count_if(connected.begin(), connected.end(),
                                       [&](const Setup& setup) { return setup.port == port.name; });
    if (streams == 0 && port.required)
      throw Error(ErrorCode::bad_config,
                  fmt::format("the {} \"{}\" of {} is not connected: it takes {} ({})", what, port.name,
                              plugin.descriptor().name, media_text(port.media), port.help));
    if (streams > 1 && !port.many)
      throw Error(ErrorCode::bad_config, fmt::format("the {} \"{}\" of {} is one stream, not {}", what,
                                                     port.name, plugin.descriptor().name, streams));
  }
}

// Its writer would answer the same again. (One that let this stage in before may only lack slots.)
bool permanent(const Error& error) noexcept {
  return error.code() == ErrorCode::refused || error.code() == ErrorCode::version ||
         error.code() == ErrorCode::protocol || error.code() == ErrorCode::no_permission;
}

std::unique_ptr<LiveInput> open_input(const InputSetup& setup, const PortSpec& spec, std::size_t index,
                                      bool joined, InputCounters& counters) {
  try {
    return std::make_unique<LiveInput>(setup, spec, index, joined, counters);
  } catch (const Error& error) {
    if (get(counters.connects) != 0 || !permanent(error)) throw;
    throw Error(ErrorCode::bad_config, error.message(), error.where());
  }
}

// Of audio and of encoded streams nothing can be left out.
bool can_be_thinned(const Format& format) noexcept {
  return format.kind() == MediaKind::video || format.kind() == MediaKind::bytes;
}

// What must not be thinned is taken: check_media() says so then.
ReaderOptions choosing(ReaderOptions options, FrameChooser& chooser) {
  options.wanted = [&chooser](const Frame& frame) {
    return !can_be_thinned(frame.format()) || chooser.takes(frame);
  };
  return options;
}

WriterOptions in_a_stage(WriterOptions options, const OutputCounters& counters, WriterTrace& trace) {
  options.ended_readers = &counters.ended_readers;
  options.trace = &trace;
  return options;
}

}  // namespace

LiveInput::LiveInput(const InputSetup& setup, const PortSpec& spec, std::size_t index, bool joined,
                     InputCounters& counters)
    : port_(setup.port),
      media_(spec.media),
      index_(index),
      leaves_out_(joined || !setup.choice.all()),
      chooser_(setup.choice),
      reader_(setup.stream, setup.choice.all() ? setup.reader : choosing(setup.reader, chooser_)),
      counters_(counters) {
  put_name(counters.port, setup.port);
  put_name(counters.stream, setup.stream);
  before_.verified = get(counters.verified);
  before_.corrupted = get(counters.corrupted);
  before_.skipped = get(counters.skipped);
  before_.lapped = get(counters.lapped);
  before_.connects = get(counters.connects);
}

void LiveInput::check_media(const Frame& taken) const {
  if ((media_bit(taken.format()) & media_) == 0)
    throw Error(ErrorCode::bad_config,
                fmt::format("the input \"{}\" takes {}, but the stream \"{}\" carries {}", port_,
                            media_text(media_), stream(), taken.format().caps()));
  if (leaves_out_ && !can_be_thinned(taken.format()))
    throw Error(
        ErrorCode::bad_config,
        fmt::format("'every', 'max_fps' or 'join' would leave pieces of the stream \"{}\" at the input "
                    "\"{}\" out, but it carries {}: they are for raw video and bytes",
                    stream(), port_, taken.format().caps()));
}

void LiveInput::fail() const {
  const bool first = before_.connects + reader_.stats().connects == 0;
  throw Error(first ? ErrorCode::bad_config : ErrorCode::refused,
              fmt::format("the stream \"{}\" cannot be read: {}", stream(), reader_.error()));
}

void LiveInput::count(const Frame& taken, std::int64_t now_ns) noexcept {
  put(counters_.frames, get(counters_.frames) + 1);
  if (taken.publish_ns() != kNoTime) counters_.hop.add(now_ns - taken.publish_ns());
  if (taken.info().capture_ns != kNoTime) counters_.end_to_end.add(now_ns - taken.info().capture_ns);
  refresh();  // with the frame, so that a stage that is killed leaves counts that agree
}

void LiveInput::pass_over() noexcept {
  ++passed_over_;
  refresh();
}

void LiveInput::refresh() noexcept {
  const ReaderStats now = reader_.stats();
  put(counters_.verified, before_.verified + now.verified);
  put(counters_.corrupted, before_.corrupted + now.corrupted);
  put(counters_.skipped, before_.skipped + now.skipped + passed_over_);
  put(counters_.lapped, before_.lapped + now.lapped);
  put(counters_.connects, before_.connects + now.connects);
  if (now.newest != 0) put(counters_.newest, now.newest);
}

LiveOutput::LiveOutput(const OutputSetup& setup, const PortSpec& spec, std::size_t index,
                       OutputCounters& counters, StageTrace& trace)
    : port_(setup.port),
      media_(spec.media),
      trace_(trace, index),
      writer_(setup.stream, in_a_stage(setup.writer, counters, trace_)),
      counters_(counters) {
  put_name(counters.port, setup.port);
  put_name(counters.stream, setup.stream);
  before_.published = get(counters.frames);
  before_.bytes = get(counters.bytes);
  before_.waits = get(counters.waits);
  before_.demoted = get(counters.demoted);
}

void LiveOutput::require(WriteStatus status) const {
  switch (status) {
    case WriteStatus::ok: return;
    case WriteStatus::interrupted: throw StopRequested{};
    case WriteStatus::no_memory: throw Error(ErrorCode::no_memory, writer_.error(), stream());
    case WriteStatus::timeout: throw Error(ErrorCode::timeout, "its readers hold every slot", stream());
    case WriteStatus::too_large:
    case WriteStatus::bad_argument: throw Error(ErrorCode::bad_argument, writer_.error(), stream());
  }
}

void LiveOutput::set_format(const Format& format) {
  if ((media_bit(format) & media_) == 0)
    throw Error(ErrorCode::plugin, fmt::format("the output \"{}\" is declared to give {}, but {} was set",
                                               port_, media_text(media_), format.caps()));
  writer_.set_format(format);
}

Loan LiveOutput::acquire(std::size_t bytes) {
  Loan loan;
  counters_.acquiring.store(1, std::memory_order_relaxed);
  const WriteStatus status = writer_.acquire(loan, bytes);
  counters_.acquiring.store(0, std::memory_order_relaxed);
  require(status);
  return loan;
}

void LiveOutput::publish(Loan loan, const FrameInfo& info) {
  if (!started_) start();
  require(writer_.publish(std::move(loan), info));
  refresh();  // with the frame, as an input does
}

void LiveOutput::publish_and_keep(Loan& loan, const FrameInfo& info) {
  if (!started_) start();
  require(writer_.publish_and_keep(loan, info));
  refresh();
}

void LiveOutput::write(std::span<const std::byte> payload, const FrameInfo& info,
                       const SideDataView& side_data) {
  if (!started_) {
    (void)acquire(payload.size());  // makes the memory that its readers join, where there was no format
    start();
  }
  require(writer_.write(payload, info, side_data));
  refresh();
}

// Before the first frame. The writer would wait as well, and publish that frame when the wait is cut short:
// to nobody.
void LiveOutput::start() {
  started_ = true;
  (void)writer_.wait_for_readers();
  // relaxed: the writer's own interruption orders what matters.
  if (cancelled_.load(std::memory_order_relaxed)) throw StopRequested{};
}

void LiveOutput::cancel_start() noexcept {
  if (writer_.stats().published != 0) return;
  cancelled_.store(true, std::memory_order_relaxed);
  writer_.interrupt();
}

void LiveOutput::refresh() noexcept {
  const WriterStats now = writer_.stats();
  put(counters_.frames, before_.published + now.published);
  put(counters_.newest, now.published);  // a writer counts its frames from 1
  put(counters_.bytes, before_.bytes + now.bytes);
  put(counters_.waits, before_.waits + now.waits);
  put(counters_.demoted, before_.demoted + now.demoted);
}

void LiveOutput::end(const StopSignal& stop) {
  const WriterStats now = writer_.stats();
  if (cancelled_.load(std::memory_order_relaxed) && !stop.stopped()) {
    writer_.resume();  // for what is owed to those readers that are there
  } else if (now.published == 0 && !stop.stopped()) {
    if (now.epochs == 0) writer_.set_format(Format{});  // readers are let in once there is a format
    (void)writer_.wait_for_readers();
  }
  writer_.end();
}

void LiveOutput::drain(const StopSignal& stop, std::int64_t until_ns) noexcept {
  constexpr int kStep_ms = 100;  // how late a stop may be noticed
  while (!writer_.drain(kStep_ms)) {
    if (stop.stopped()) return;
    if (monotonic_ns() >= until_ns) {
      log_warning("stream " + stream() +
                  ": ended, but some of its readers have not taken their last frames: they may lose them");
      return;
    }
  }
}

std::vector<std::unique_ptr<LiveInput>> open_inputs(const Plugin& plugin, const StageSetup& setup,
                                                    StagePage& page) {
  check_ports(plugin.inputs(), setup.inputs, "input", plugin);
  std::vector<std::unique_ptr<LiveInput>> inputs;
  for (const InputSetup& input : setup.inputs) {
    const auto index = std::count_if(inputs.begin(), inputs.end(),
                                     [&](const auto& other) { return other->port() == input.port; });
    const PortSpec& spec = find_port(plugin.inputs(), input.port, "input", plugin);
    inputs.push_back(open_input(input, spec, static_cast<std::size_t>(index), setup.join.has_value(),
                                page.inputs[inputs.size()]));
  }
  // SYNC page.input_count: release, pairs with the acquire of whoever reads the names.
  page.input_count.store(static_cast<std::uint32_t>(inputs.size()), std::memory_order_release);
  return inputs;
}

std::vector<std::unique_ptr<LiveOutput>> open_outputs(const Plugin& plugin, const StageSetup& setup,
                                                      StagePage& page, StageTrace& trace) {
  check_ports(plugin.outputs(), setup.outputs, "output", plugin);
  std::vector<std::unique_ptr<LiveOutput>> outputs;
  for (const OutputSetup& output : setup.outputs) {
    const PortSpec& spec = find_port(plugin.outputs(), output.port, "output", plugin);
    const std::size_t index = outputs.size();
    outputs.push_back(std::make_unique<LiveOutput>(output, spec, index, page.outputs[index], trace));
  }
  // SYNC page.output_count: release, as above.
  page.output_count.store(static_cast<std::uint32_t>(outputs.size()), std::memory_order_release);
  return outputs;
}

}  // namespace reel
