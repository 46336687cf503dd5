// What `reel recordings` runs: `reel` has read the command line, this has the libraries.
#include <cstdio>
#include <exception>

#include <gst/gst.h>

#include <reel/base/clock.hpp>
#include <reel/base/error.hpp>
#include <reel/base/log.hpp>

#include "tool/actions.hpp"

namespace {

constexpr int kFailed = 1;
constexpr int kBadUsage = 2;

struct Action {
  const char* name;
  int (*run)(record::Catalog& catalog, const record::Request& request);
};
constexpr Action kActions[] = {{"ls", record::list},         {"show", record::show},
                               {"verify", record::verify},   {"export", record::export_file},
                               {"protect", record::protect}, {"rm", record::remove},
                               {"retain", record::retain},   {"reindex", record::reindex}};

int run(const std::vector<std::string>& arguments) {
  const record::Request request = record::request_from(arguments, reel::realtime_ns());
  for (const Action& action : kActions) {
    if (request.action != action.name) continue;
    record::Catalog catalog({request.directory, false, {}});
    return action.run(catalog, request);
  }
  throw reel::Error(reel::ErrorCode::bad_argument, "there is no action '" + request.action + "'",
                    "recordings");
}

}  // namespace

int main(int argc, char** argv) {
  reel::configure_logging({reel::LogStyle::text, reel::LogLevel::warning, {}});
  gst_init(nullptr, nullptr);
  int status = kFailed;
  try {
    status = run({argv + 1, argv + argc});
  } catch (const reel::Error& error) {
    std::fprintf(stderr, "reel: %s\n", error.what());
    if (error.code() == reel::ErrorCode::bad_argument) status = kBadUsage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "reel: %s\n", error.what());
  }
  if (std::fflush(stdout) != 0) {
    std::perror("reel: cannot write the output");
    return kFailed;
  }
  return status;
}
