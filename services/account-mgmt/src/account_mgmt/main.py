"""Account management put together: `python -m account_mgmt api | worker | all | migrate | rebuild`."""

from __future__ import annotations

from account_mgmt import account, api, offer, published, reactions, roster, sale, views
from account_mgmt.codes import CODES
from account_mgmt.papers import selftest, survey
from account_mgmt.papers.survey.views import SURVEYS
from belt.core.decider import Stream
from belt.core.erasure import ERASURE
from belt.io.service import Service
from conveyor_events.catalog import wire_type
from conveyor_events.leads import PersonalDataErased
from conveyor_events.roster import Roster

OFFER: Stream[offer.Command, offer.Event, offer.Offer] = Stream(
    offer.CATEGORY,
    initial=offer.Offer(),
    events=offer.EVENTS,
    decide=offer.decide,
    evolve=offer.evolve,
    reads=offer.reads,
    publish=published.offer,
    timers=offer.timers,
    follow=offer.follow,
    view=views.OFFERS,
)

ACCOUNT: Stream[account.Command, account.Event, account.Account] = Stream(
    account.CATEGORY,
    initial=account.Account(),
    events=account.EVENTS,
    decide=account.decide,
    evolve=account.evolve,
    reads=account.reads,
    publish=published.account,
    timers=account.timers,
    view=views.ACCOUNTS,
)

SALE: Stream[sale.Command, sale.Event, sale.SaleBook] = Stream(
    sale.CATEGORY,
    initial=sale.SaleBook(),
    events=sale.EVENTS,
    decide=sale.decide,
    evolve=sale.evolve,
    reads=sale.reads,
    publish=published.sale,
    follow=sale.follow,
    view=views.SALES,
)

ROSTER: Stream[roster.Learn, roster.Learned, Roster] = Stream(
    roster.CATEGORY,
    initial=Roster(),
    events=(roster.Learned,),
    decide=roster.decide,
    evolve=roster.evolve,
)

SELFTEST: Stream[selftest.Command, selftest.Event, selftest.Attempts] = Stream(
    selftest.CATEGORY,
    initial=selftest.Attempts(),
    events=selftest.EVENTS,
    decide=selftest.decide,
    evolve=selftest.evolve,
    holder=selftest.holder,
)

SURVEY: Stream[survey.Command, survey.Event, survey.Survey] = Stream(
    survey.CATEGORY,
    initial=survey.Survey(),
    events=survey.EVENTS,
    decide=survey.decide,
    evolve=survey.evolve,
    reads=survey.reads,
    publish=survey.publish,
    follow=survey.follow,
    timers=survey.timers,
    view=SURVEYS,
)

STREAMS = {stream.category: stream for stream in (OFFER, ACCOUNT, SALE, ROSTER, SELFTEST, SURVEY, ERASURE)}

SERVICE = Service(
    name="account-mgmt",
    package="account_mgmt",
    about="Station 3: buyers are taken over, served, asked, and sold to again.",
    port=8003,
    streams=STREAMS,
    routes=api.routes,
    react=reactions.react,
    topics=reactions.TOPICS,
    codes=CODES,
    watched=views.WATCHED,
    forgets=(wire_type(PersonalDataErased),),
)
