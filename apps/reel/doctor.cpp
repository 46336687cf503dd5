// `reel doctor`: what of this machine Reel can use, what it lacks, and what to do about it.
#include "commands.hpp"
#include "finding.hpp"
#include "json_output.hpp"

#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace {

using Grade = Finding::Grade;

const char* text_of(Grade grade) {
  switch (grade) {
    case Grade::fine: return "fine";
    case Grade::lacking: return "lacking";
    case Grade::fault: return "fault";
  }
  return "";
}

Findings look() {
  Findings findings;
  look_at_kernel(findings);
  look_at_memory(findings);
  look_at_directories(findings);
  look_at_programs(findings);
  look_at_gstreamer(findings);
  look_at_displays(findings);
  look_at_cameras(findings);
  return findings;
}

void print(const Findings& findings) {
  std::size_t width = 0;
  for (const Finding& finding : findings) width = std::max(width, finding.thing.size());
  for (const Finding& finding : findings) {
    fmt::print("{:<8} {:<{}}  {}\n", text_of(finding.grade), finding.thing, width, finding.text);
    if (!finding.fix.empty()) fmt::print("{:<8} {:<{}}  -> {}\n", "", "", width, finding.fix);
  }
}

void print_as_json(const Findings& findings) {
  nlohmann::json all = nlohmann::json::array();
  for (const Finding& finding : findings)
    all.push_back({{"grade", text_of(finding.grade)},
                   {"thing", finding.thing},
                   {"text", finding.text},
                   {"fix", finding.fix}});
  print_json(all);
}

}  // namespace

std::string as_root(const std::string& command) {
  return ::geteuid() == 0 ? command : "sudo " + command;
}

std::string install_text(const std::string& packages) {
  return as_root("apt-get install -y " + packages);
}

void add_doctor(CLI::App& app, CommandResult& result) {
  auto json = std::make_shared<bool>(false);
  CLI::App* command =
      app.add_subcommand("doctor", "Look at this machine: what Reel can use, what it lacks, and the fix");
  command->add_flag("--json", *json, "print an array of findings");
  command->footer(
      "fine: it works. lacking: something does not, or is slower. fault: no pipeline can run; exit status "
      "1.\n"
      "Example: reel doctor");
  command->callback([json, &result] {
    const Findings findings = look();
    if (*json)
      print_as_json(findings);
    else
      print(findings);
    const bool fault = std::any_of(findings.begin(), findings.end(),
                                   [](const Finding& one) { return one.grade == Grade::fault; });
    result.status = fault ? 1 : 0;
  });
}
