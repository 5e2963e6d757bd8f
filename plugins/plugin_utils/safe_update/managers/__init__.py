# Copyright: (c) 2026, The vpsdotorg.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: names and behaviour may change in any release.

"""The package managers that the built-in update knows, each a module of the same functions. Pure.

=================  ===================================================================================================
``asks``           what asks it which packages an update would change, and changes nothing; of a record
``unanswered``     why it has not said what it would change, where the task that asks does not fail then
``pending``        what it would change by its own words: ``name``, ``old`` (empty for a new one, ``unfinished`` for one
                   half done) and ``new`` version
``security``       the names of those that mend security, where it says that of each of them
``asks_restart``   whether what is pending asks for a restart, where the system does not know by itself
``removals``       what it would remove for good and may not
``commands``       the words that update, one command after the other, each with the end of its unit's name
``sizes``          the words that ask how much room that takes, where another question is needed for it
``unrefreshed``    why its lists could not be refreshed, in its own words; empty where they were (dnf refreshes them
                   when it is asked)
``HOLDS``          whether files/NAME_hold.sh has to hold back what is excluded
``NAMES_NEW``      whether a new package is installed for its own sake, and not only along with others
``LOG``            where to look after an update that left something
=================  ===================================================================================================
"""

from __future__ import annotations

from types import ModuleType

from . import apt, dnf, zypper

KNOWN: dict[str, ModuleType] = {"apt": apt, "dnf": dnf, "zypper": zypper}
