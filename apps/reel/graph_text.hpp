// A pipeline drawn: stages and the streams between them, in the languages of two programs that lay out
// graphs. Pure.
#pragma once

#include <string>
#include <vector>

struct DrawnStage {
  std::string name;
  std::string text;  // a second line under the name
};

struct DrawnStream {
  std::string from, to;  // names of stages; `to` empty: nobody of the pipeline reads it
  std::string text;
};

struct Drawing {
  std::string name;
  std::vector<DrawnStage> stages;
  std::vector<DrawnStream> streams;
};

/// @see https://mermaid.js.org/syntax/flowchart.html
[[nodiscard]] std::string mermaid_text(const Drawing& drawing);
/// @see https://graphviz.org/doc/info/lang.html
[[nodiscard]] std::string dot_text(const Drawing& drawing);
