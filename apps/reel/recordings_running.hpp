// Recordings that run now and take calls, each at a socket in the runtime directory. Single-thread.
#pragma once

#include <string>
#include <vector>

/// Names of those that answer, sorted.
[[nodiscard]] std::vector<std::string> running_recordings();

struct RecordingAnswer {
  int status = 0;  // of HTTP
  std::string body;
};
/// POST /event with this JSON. Throws Error{not_found} naming those that run where this one does not, {io},
/// {timeout}.
[[nodiscard]] RecordingAnswer ask_recording(const std::string& recording, const std::string& body);
/// GET /events. Throws the same.
[[nodiscard]] RecordingAnswer ask_for_events(const std::string& recording);
