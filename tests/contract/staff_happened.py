"""conveyor.staff.v1: what happened to people and lines before lead generation tells each sample."""

from __future__ import annotations

from happened import Cases, Happened

from conveyor_events import staff
from lead_gen import staffing as s

WHO = "olga"


def people(event: s.Event) -> Happened:
    return Happened(s.CATEGORY, event, s.Staffing())


CASES: Cases = {
    staff.StaffHired: lambda d, t: people(s.PersonHired(d.person, "never told", d.hired_on, WHO, t.occurred_at)),
    staff.RoleGranted: lambda d, t: people(s.RoleGranted(d.person, d.role, d.since, d.until, WHO, t.occurred_at)),
    staff.RoleRevoked: lambda d, t: people(s.RoleRevoked(d.person, d.role, d.until, WHO, t.occurred_at)),
    staff.AbsenceSet: lambda d, t: people(s.AbsenceSet(d.person, d.since, d.until, WHO, t.occurred_at)),
    staff.StaffLeft: lambda d, t: people(s.PersonLeft(d.person, d.last_day, d.left_at, WHO, t.occurred_at)),
    staff.LineStaffed: lambda d, t: people(s.LineWasStaffed(d, WHO, t.occurred_at)),
}
