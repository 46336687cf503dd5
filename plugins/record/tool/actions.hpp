// What `reel recordings` does, one function an action. Each prints what it found, and returns the exit
// status: 0 fine, 1 something is wrong with the recordings. Throw reel::Error. Single-thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "catalog/catalog.hpp"
#include "tool/request.hpp"

namespace record {

int list(Catalog& catalog, const Request& request);
int show(Catalog& catalog, const Request& request);
int verify(Catalog& catalog, const Request& request);
int export_file(Catalog& catalog, const Request& request);
int protect(Catalog& catalog, const Request& request);
int remove(Catalog& catalog, const Request& request);
int retain(Catalog& catalog, const Request& request);
int reindex(Catalog& catalog, const Request& request);

/// Those that are named, which must be there (Error{not_found}), and are in the query; without names, all in
/// the query.
[[nodiscard]] std::vector<SegmentRecord> chosen(const Catalog& catalog, const Request& request);
/// Gives each of those to `action`, and never holds more than some hundreds: of a year there are millions.
void for_chosen(const Catalog& catalog, const Request& request,
                const std::function<void(const SegmentRecord&)>& action);
/// The same where something must be said. Error{bad_argument}.
[[nodiscard]] std::vector<SegmentRecord> chosen_by_word(const Catalog& catalog, const Request& request);

/// What it was recorded for, protected or not: a recording may have everything and its events once more.
[[nodiscard]] bool is_of_event(const SegmentRecord& segment);

/// "1 segment", "2 segments".
[[nodiscard]] std::string segments_text(std::size_t count);

}  // namespace record
