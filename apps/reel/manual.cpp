#include "manual.hpp"

#include "definition.hpp"

#include <cctype>
#include <filesystem>
#include <span>
#include <sstream>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <reel/base/error.hpp>
#include <reel/base/whole_file.hpp>

namespace {

constexpr std::string_view kExample = "Example: ";

// Text as roff takes it: no escapes, no requests, and dashes that can be copied and typed.
std::string roff(std::string_view text) {
  std::string result;
  bool line_begins = true;
  for (const char letter : text) {
    if (line_begins && (letter == '.' || letter == '\'')) result += "\\&";
    line_begins = letter == '\n';
    switch (letter) {
      case '\\': result += "\\e"; break;
      case '-': result += "\\-"; break;
      case '~': result += "\\(ti"; break;
      case '^': result += "\\(ha"; break;
      case '`': result += "\\(ga"; break;
      case '\'': result += line_begins ? "'" : "\\(aq"; break;
      default: result += letter;
    }
  }
  return result;
}

// "`reel ls`" in the help is set in bold; whatever else there is stays as it is.
std::string prose(std::string_view text) {
  std::string result;
  bool bold = false;
  std::size_t begin = 0;
  for (std::size_t tick = text.find('`'); tick != std::string_view::npos; tick = text.find('`', begin)) {
    result += roff(text.substr(begin, tick - begin)) + (bold ? "\\fR" : "\\fB");
    bold = !bold;
    begin = tick + 1;
  }
  result += roff(text.substr(begin)) + (bold ? "\\fR" : "");
  return result;
}

std::string upper_case(std::string text) {
  for (char& letter : text) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  return text;
}

std::string heading(const std::string& title, const std::string& section) {
  return fmt::format(".TH \"{}\" 1 \"\" \"reel {}\" \"Reel\"\n.SH NAME\n{}", roff(title), REEL_VERSION,
                     section);
}

std::string value_text(const CLI::Option& option) {
  const std::vector<std::string> choices = choices_of(option);
  if (choices.empty()) return "\\fI" + roff(kind_of(option)) + "\\fR";
  std::string text;
  for (const std::string& choice : choices) text += (text.empty() ? "\\fB" : "\\fR|\\fB") + roff(choice);
  return text + "\\fR";
}

// ".TP" and what follows it.
std::string option_text(const CLI::Option& option) {
  std::string names;
  if (option.get_positional()) {
    names = "\\fI" + roff(option.get_name()) + "\\fR";
  } else {
    for (const std::string& name : option.get_snames()) names += ", \\fB\\-" + roff(name) + "\\fR";
    for (const std::string& name : option.get_lnames()) names += ", \\fB\\-\\-" + roff(name) + "\\fR";
    names.erase(0, 2);
    if (takes_value(option)) names += " " + value_text(option);
  }
  std::string text = prose(option.get_description());
  const std::string type = option.get_type_name();
  const bool range = choices_of(option).empty() && type.find(':') != std::string::npos;
  if (range) text += "; " + roff(type.substr(type.find(':') + 1));
  if (!option.get_default_str().empty()) text += "; default " + roff(option.get_default_str());
  if (option.get_required() && !option.get_positional()) text += "; required";
  return ".TP\n" + names + "\n" + text + "\n";
}

std::string options_text(const char* title, const std::vector<const CLI::Option*>& options) {
  if (options.empty()) return {};
  std::string text = fmt::format(".SH {}\n", title);
  for (const CLI::Option* option : options) text += option_text(*option);
  return text;
}

// What stands below the options in the help: examples, and all else.
struct Footer {
  std::string text, examples;
};

Footer footer_of(const CLI::App& command) {
  Footer footer;
  std::istringstream lines(command.get_footer());
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(kExample))
      footer.examples +=
          (footer.examples.empty() ? ".EX\n" : ".PP\n.EX\n") + roff(line.substr(kExample.size())) + "\n.EE\n";
    else
      footer.text += prose(line) + "\n";
  }
  return footer;
}

std::string synopsis(const CLI::App& command) {
  std::string text = ".SH SYNOPSIS\n\\fBreel " + roff(command.get_name()) + "\\fR [\\fIOPTIONS\\fR]";
  for (const CLI::Option* option : positionals_of(command)) {
    const std::string name = "\\fI" + roff(option->get_name()) + "\\fR";
    text += option->get_required() ? " " + name : " [" + name + "]";
  }
  return text + "\n";
}

std::string command_page(const CLI::App& command) {
  const Footer footer = footer_of(command);
  std::string page =
      heading("REEL-" + upper_case(command.get_name()),
              "reel\\-" + roff(command.get_name()) + " \\- " + prose(command.get_description()) + "\n");
  page += synopsis(command);
  page += ".SH DESCRIPTION\n" + prose(command.get_description()) + ".\n";
  if (!footer.text.empty()) page += ".PP\n" + footer.text;
  page += options_text("ARGUMENTS", positionals_of(command));
  page += options_text("OPTIONS", flags_and_options_of(command));
  if (!footer.examples.empty()) page += ".SH EXAMPLES\n" + footer.examples;
  page += ".SH EXIT STATUS\n0 fine, 1 failed at run time, 2 bad usage or configuration.\n";
  return page + ".SH SEE ALSO\n.BR reel (1)\n";
}

std::string main_page(const CLI::App& app) {
  const Footer footer = footer_of(app);
  std::string page = heading("REEL", "reel \\- " + prose(app.get_description()) + "\n");
  page += ".SH SYNOPSIS\n\\fBreel\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n";
  page += ".SH DESCRIPTION\n" + prose(app.get_description()) + "\n.PP\n" + footer.text;
  page += ".SH COMMANDS\n";
  for (const CLI::App* command : commands_of(app)) {
    const std::string name = roff(command->get_name());
    page += fmt::format(".TP\n.BR reel\\-{} (1)\n{}\n", name, prose(command->get_description()));
  }
  page += options_text("OPTIONS", flags_and_options_of(app));
  return page + ".SH EXAMPLES\n" + footer.examples;
}

void write(const std::string& directory, const std::string& name, const std::string& page) {
  reel::write_whole_file((std::filesystem::path(directory) / (name + ".1")).string(),
                         std::as_bytes(std::span(page)), "DIRECTORY");
}

}  // namespace

void write_manual(const CLI::App& app, const std::string& directory) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) throw reel::Error(reel::ErrorCode::io, "cannot be made: " + failed.message(), directory);
  write(directory, "reel", main_page(app));
  for (const CLI::App* command : commands_of(app))
    write(directory, "reel-" + command->get_name(), command_page(*command));
}
