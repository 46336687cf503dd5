// What `reel` says of a command line that it does not understand.
#pragma once

#include <string>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

/// After a failed parse: "run: there is no option '--verbos'; did you mean '--verbose'?", with the command in
/// front where one was named.
[[nodiscard]] std::string usage_error(const CLI::App& app, const CLI::ParseError& error);
