// What `reel doctor` finds: one thing of this machine, how it is, and what to do. Each check is a function
// that never throws what it finds. Single-thread.
#pragma once

#include <string>
#include <vector>

struct Finding {
  enum class Grade {
    fine,
    lacking,
    fault
  };  // lacking: something does not work, or slower; fault: nothing does
  Grade grade = Grade::fine;
  std::string thing;  // "sealed memory"
  std::string text;   // how it is
  // what to do; empty where it is fine. A command stands alone, as it is to be typed by this user, with what
  // else is to be said behind a #
  std::string fix;
};

using Findings = std::vector<Finding>;

/// A command that takes root, for this user: with sudo, unless it is root.
[[nodiscard]] std::string as_root(const std::string& command);
/// The command that installs Debian's packages, named one after the other.
[[nodiscard]] std::string install_text(const std::string& packages);

void look_at_kernel(Findings& findings);
void look_at_memory(Findings& findings);
void look_at_directories(Findings& findings);
void look_at_programs(Findings& findings);
void look_at_gstreamer(Findings& findings);
void look_at_displays(Findings& findings);
void look_at_cameras(Findings& findings);
