// The tables of the index, as README.md describes them to people. Values.
#pragma once

#include <array>

namespace record {

/// To be raised with every change of what follows: an index of another version is made anew.
inline constexpr int kIndexVersion = 1;

inline constexpr std::array kIndexTables{
    "CREATE TABLE segment (path TEXT PRIMARY KEY, day TEXT NOT NULL, recording TEXT NOT NULL, "
    "sequence INTEGER NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, start_utc_ns INTEGER NOT NULL, "
    "end_utc_ns INTEGER NOT NULL, bytes INTEGER NOT NULL, manifest_ns INTEGER, manifest_bytes INTEGER, "
    "manifest TEXT NOT NULL)",
    "CREATE INDEX segment_day ON segment (day)",
    "CREATE INDEX segment_start ON segment (start_utc_ns)",
    "CREATE INDEX segment_sequence ON segment (sequence)",
    "CREATE INDEX segment_newest ON segment (recording, sequence)",
    "CREATE TABLE track (path TEXT NOT NULL REFERENCES segment ON DELETE CASCADE, stream TEXT NOT NULL, "
    "media TEXT NOT NULL, codec TEXT NOT NULL, frames INTEGER NOT NULL)",
    "CREATE INDEX track_path ON track (path)",
    "CREATE TABLE gap (path TEXT NOT NULL REFERENCES segment ON DELETE CASCADE, stream TEXT NOT NULL, "
    "start_utc_ns INTEGER NOT NULL, end_utc_ns INTEGER NOT NULL, frames INTEGER NOT NULL, reason TEXT NOT "
    "NULL)",
    "CREATE INDEX gap_path ON gap (path)",
    "CREATE TABLE event (path TEXT NOT NULL REFERENCES segment ON DELETE CASCADE, id TEXT NOT NULL, "
    "kind TEXT NOT NULL, start_utc_ns INTEGER NOT NULL, end_utc_ns INTEGER NOT NULL, score REAL NOT NULL, "
    "note TEXT NOT NULL, picture TEXT NOT NULL)",
    "CREATE INDEX event_path ON event (path)",
    "CREATE TABLE sighting (path TEXT NOT NULL REFERENCES segment ON DELETE CASCADE, stream TEXT NOT NULL, "
    "type TEXT NOT NULL, name TEXT NOT NULL, label TEXT NOT NULL, count INTEGER NOT NULL, "
    "highest REAL NOT NULL, first_utc_ns INTEGER NOT NULL, last_utc_ns INTEGER NOT NULL)",
    "CREATE INDEX sighting_path ON sighting (path)",
    "CREATE TABLE day (day TEXT PRIMARY KEY, modified_ns INTEGER NOT NULL)",
    "PRAGMA user_version = 1",
};

}  // namespace record
