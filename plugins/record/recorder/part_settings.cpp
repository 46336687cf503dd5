#include "recorder/part_settings.hpp"

#include <memory>
#include <string>

#include "catalog/segment_name.hpp"
#include "events/finished_hook.hpp"
#include "recorder/limits.hpp"

namespace record {

StoreOptions store_options(const RecordSettings& settings) {
  return {settings.directory, true, settings.require_mount};
}

Closer::Settings closer_settings(const RecordSettings& settings) {
  Closer::Settings made;
  made.recording = settings.name;
  made.only_events = settings.mode == RecordMode::events;
  made.rules = retention_rules(settings);
  if (!settings.hook.empty()) {
    FinishedHook::Settings hook_settings;
    hook_settings.program = settings.hook;
    hook_settings.timeout_ns = settings.hook_timeout_ns;
    made.on_finished = [hook = std::make_shared<FinishedHook>(hook_settings)](const std::string& file) {
      hook->run(file, manifest_path_of(file));
    };
  }
  return made;
}

Segmenter::Settings segmenter_settings(const RecordSettings& settings) {
  Segmenter::Settings made;
  made.segment_ns = settings.segment_ns;
  made.segment_bytes = settings.segment_bytes;
  made.patience_ns = settings.patience_ns;
  made.begin_ns = 2 * settings.patience_ns;
  return made;
}

}  // namespace record
