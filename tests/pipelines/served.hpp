// What a running pipeline serves, as its clients see it. Single-thread.
#pragma once

#include "running_pipeline.hpp"

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <reel_test/page_client.hpp>
#include <reel_test/wait_until.hpp>

namespace reel_test {

/// The port that `reel run` says it serves at; 0 when it says none.
[[nodiscard]] inline std::uint16_t served_port(const ChildProcess& reel) {
  const auto place = [&] { return reel.errors().find("serves http://"); };
  if (!wait_until([&] { return place() != std::string::npos; })) return 0;
  const std::string log = reel.errors();
  const std::size_t end = log.find("/metrics", place());
  const std::size_t colon = log.rfind(':', end);
  return static_cast<std::uint16_t>(std::stoi(log.substr(colon + 1, end - colon - 1)));
}
[[nodiscard]] inline std::uint16_t served_port(RunningPipeline& pipeline) {
  return served_port(pipeline.reel());
}

/// Waits until /health is `status` and its reason holds `reason`.
[[nodiscard]] inline bool wait_for_health(std::uint16_t port, int status, const std::string& reason = {}) {
  std::string last;
  const bool came = wait_until([&] {
    const Answer answer = get(port, "/health");
    last = answer.body;
    const nlohmann::json json = nlohmann::json::parse(answer.body, nullptr, false);
    return answer.status == status && json.is_object() && json["reason"].is_string() &&
           json["reason"].get<std::string>().find(reason) != std::string::npos;
  });
  if (!came) ADD_FAILURE() << "last: " << last;
  return came;
}

}  // namespace reel_test
