#include "graph_text.hpp"

#include <map>

#include <fmt/format.h>

namespace {

// Names hold nothing that needs escaping; what is written beside them may.
std::string mermaid_escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '"')
      escaped += "#quot;";
    else if (c == '<')
      escaped += "&lt;";
    else if (c == '>')
      escaped += "&gt;";
    else if (c == '\n')
      escaped += "<br/>";
    else
      escaped += c;
  }
  return escaped;
}

std::string dot_escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '"' || c == '\\') escaped += '\\';
    if (c == '\n')
      escaped += "\\n";
    else
      escaped += c;
  }
  return escaped;
}

std::string two_lines(const DrawnStage& stage) {
  return stage.text.empty() ? stage.name : stage.name + "\n" + stage.text;
}

// "end" and the like are words of Mermaid's: stages go by their numbers.
std::map<std::string, std::string> numbered(const Drawing& drawing) {
  std::map<std::string, std::string> ids;
  for (const DrawnStage& stage : drawing.stages) ids.emplace(stage.name, fmt::format("s{}", ids.size()));
  return ids;
}

}  // namespace

std::string mermaid_text(const Drawing& drawing) {
  const std::map<std::string, std::string> ids = numbered(drawing);
  std::string text = fmt::format("---\ntitle: {}\n---\nflowchart LR\n", drawing.name);
  for (const DrawnStage& stage : drawing.stages)
    text += fmt::format("  {}[\"{}\"]\n", ids.at(stage.name), mermaid_escaped(two_lines(stage)));
  std::size_t open_ends = 0;
  for (const DrawnStream& stream : drawing.streams) {
    const std::string to = stream.to.empty() ? fmt::format("o{}(( ))", open_ends++) : ids.at(stream.to);
    text += fmt::format("  {} -->|\"{}\"| {}\n", ids.at(stream.from), mermaid_escaped(stream.text), to);
  }
  return text;
}

std::string dot_text(const Drawing& drawing) {
  std::string text = fmt::format(
      "digraph \"{}\" {{\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n"
      "  edge [fontname=\"sans-serif\", fontsize=10];\n",
      dot_escaped(drawing.name));
  for (const DrawnStage& stage : drawing.stages)
    text += fmt::format("  \"{}\" [label=\"{}\"];\n", dot_escaped(stage.name), dot_escaped(two_lines(stage)));
  std::size_t open_ends = 0;
  for (const DrawnStream& stream : drawing.streams) {
    std::string to = stream.to;
    if (to.empty()) {
      to = fmt::format("open {}", open_ends++);
      text += fmt::format("  \"{}\" [shape=point];\n", to);
    }
    text += fmt::format("  \"{}\" -> \"{}\" [label=\"{}\"];\n", dot_escaped(stream.from), dot_escaped(to),
                        dot_escaped(stream.text));
  }
  return text + "}\n";
}
