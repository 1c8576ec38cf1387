//! Teams, and whose customers are seen.

use crm_domain::activities::{Direction, MessageKind};
use crm_domain::board::{BoardRequest, Column, Tab};
use crm_domain::companies::CompanyFilter;
use crm_domain::conversations::ConversationId;
use crm_domain::customers::{CustomerFilter, CustomerId, CustomerPrefix};
use crm_domain::events::{EventKind, EventPlace, NewEvent, Whose};
use crm_domain::members::{MemberId, Role};
use crm_domain::paging::PageRequest;
use crm_domain::ports::store::StoreError;
use crm_domain::standings::{LastMessage, Standing};
use crm_domain::teams::{Sees, Sight, TeamDetails, TeamId, TeamMember, Visible};

use super::AnyStore;
use super::steps::{add_activities, add_company, add_customer, open_talk, read, try_write, write};
use crate::fixtures::{after, company_details, customer_of, new_member, received, start, user};

fn details(name: &str, sees: Sees) -> TeamDetails {
    TeamDetails {
        name: name.to_owned(),
        sees,
    }
}

async fn add(store: &AnyStore, name: &str, sees: Sees) -> TeamId {
    let details = details(name, sees);
    write(store, move |unit| unit.edit_teams().add_team(&details, start())).await
}

async fn member(store: &AnyStore, number: u32) -> MemberId {
    let new = new_member(&format!("m{number}@example.jp"), "社員", Role::Member);
    write(store, move |unit| unit.edit_members().add_member(&new, start())).await
}

async fn place(store: &AnyStore, team: TeamId, members: &[(MemberId, bool)]) {
    let members = members.to_vec();
    write(store, move |unit| {
        unit.edit_teams().set_team_members(team, &members)
    })
    .await;
}

pub async fn teams_are_found_and_ordered_by_name(store: AnyStore) {
    let second = add(&store, "乙", Sees::Own).await;
    let first = add(&store, "丙", Sees::Team).await;
    let all = read(&store, |unit| unit.teams().teams()).await;
    let shown: Vec<_> = all
        .iter()
        .map(|team| (team.id, team.name.as_str(), team.sees))
        .collect();
    assert_eq!(shown, [(first, "丙", Sees::Team), (second, "乙", Sees::Own)]);
    let one = read(&store, move |unit| unit.teams().team(second)).await;
    assert_eq!(
        one.map(|team| (team.name, team.created_at)),
        Some(("乙".to_owned(), start()))
    );
    let none = read(&store, |unit| unit.teams().team(TeamId::new(404))).await;
    assert_eq!(none, None);
}

pub async fn an_equal_team_name_is_taken(store: AnyStore) {
    let first = add(&store, "甲", Sees::All).await;
    let second = add(&store, "乙", Sees::All).await;
    let again = try_write(&store, |unit| {
        unit.edit_teams().add_team(&details("甲", Sees::Own), start())
    });
    assert!(matches!(again.await, Err(StoreError::Taken("name"))));
    let renamed = try_write(&store, move |unit| {
        unit.edit_teams().revise_team(second, &details("甲", Sees::Own))
    });
    assert!(matches!(renamed.await, Err(StoreError::Taken("name"))));
    let kept = write(&store, move |unit| {
        let there = unit.edit_teams().revise_team(first, &details("甲", Sees::Own))?;
        let none = unit
            .edit_teams()
            .revise_team(TeamId::new(404), &details("丁", Sees::Own))?;
        Ok((there, none))
    });
    assert_eq!(kept.await, (true, false));
    let revised = read(&store, move |unit| unit.teams().team(first)).await;
    assert_eq!(revised.map(|team| team.sees), Some(Sees::Own));
}

pub async fn members_of_a_team_are_replaced_together(store: AnyStore) {
    let (team, other) = (
        add(&store, "甲", Sees::Team).await,
        add(&store, "乙", Sees::Own).await,
    );
    let (me, mate) = (member(&store, 1).await, member(&store, 2).await);
    place(&store, team, &[(me, false), (mate, true)]).await;
    place(&store, other, &[(mate, false)]).await;
    let of = |member| read(&store, move |unit| unit.teams().teams_of(member));
    let (teams, mates) = of(me).await;
    assert_eq!(teams.iter().map(|team| team.id).collect::<Vec<_>>(), [team]);
    let at = |team_id, member_id, leader| TeamMember {
        team_id,
        member_id,
        leader,
    };
    assert_eq!(mates, [at(team, me, false), at(team, mate, true)]);
    assert_eq!(of(mate).await.0.len(), 2);
    place(&store, team, &[(me, true)]).await;
    let all = read(&store, |unit| unit.teams().team_members()).await;
    assert_eq!(all, [at(team, me, true), at(other, mate, false)]);
    let nobody = try_write(&store, move |unit| {
        unit.edit_teams()
            .set_team_members(team, &[(MemberId::new(404), false)])
    });
    assert!(matches!(nobody.await, Err(StoreError::Missing("member_id"))));
    let nowhere = try_write(&store, move |unit| {
        unit.edit_teams()
            .set_team_members(TeamId::new(404), &[(me, false)])
    });
    assert!(matches!(nowhere.await, Err(StoreError::Missing("team_id"))));
}

async fn set(store: &AnyStore, customer: CustomerId, owner: Option<MemberId>, team: Option<TeamId>) {
    write(store, move |unit| {
        unit.edit_customers().set_owner(customer, owner, after(1))?;
        unit.edit_teams().set_team(customer, team, after(2))
    })
    .await;
}

async fn team_of(store: &AnyStore, customer: CustomerId) -> Option<TeamId> {
    let line = read(store, move |unit| {
        unit.customers().customer(customer, &Visible::All)
    });
    line.await.expect("the customer is there").customer.team_id
}

pub async fn a_customer_is_given_a_team_that_exists(store: AnyStore) {
    let team = add(&store, "甲", Sees::Team).await;
    let company = add_company(&store, &company_details("青空")).await;
    let customer = add_customer(&store, &customer_of("山田", "太郎", company)).await;
    let give = |id, team| {
        try_write(&store, move |unit| {
            unit.edit_teams().set_team(id, Some(team), after(1))
        })
    };
    assert!(give(customer, team).await.expect("the team exists"));
    assert_eq!(team_of(&store, customer).await, Some(team));
    let missing = give(customer, TeamId::new(404)).await;
    assert!(matches!(missing, Err(StoreError::Missing("team_id"))));
    assert!(!give(CustomerId::new(404), team).await.expect("nothing to do"));
}

pub async fn a_deleted_team_leaves_its_customers_without(store: AnyStore) {
    let team = add(&store, "甲", Sees::Team).await;
    let me = member(&store, 1).await;
    place(&store, team, &[(me, false)]).await;
    let company = add_company(&store, &company_details("青空")).await;
    let mut customers = Vec::new();
    for name in ["一", "二", "三"] {
        let customer = add_customer(&store, &customer_of(name, "", company)).await;
        set(&store, customer, None, Some(team)).await;
        customers.push(customer);
    }
    let released = write(&store, move |unit| unit.edit_teams().release_team(team, 2)).await;
    assert_eq!(released, 2);
    let gone = || write(&store, move |unit| unit.edit_teams().delete_team(team));
    assert_eq!((gone().await, gone().await), (true, false));
    for customer in customers {
        assert_eq!(team_of(&store, customer).await, None);
    }
    assert_eq!(read(&store, |unit| unit.teams().team_members()).await, []);
}

/// Customers of a member, of a colleague, of nobody, of nobody in a team, of a stranger, of a stranger in a team.
struct Office {
    mine: CustomerId,
    mates: CustomerId,
    nobodys: CustomerId,
    teams: CustomerId,
    strangers: CustomerId,
    of_whole_team: CustomerId,
    company: crm_domain::companies::CompanyId,
    sight: Visible,
    /// Sees neither colleagues nor teams.
    narrow: Visible,
}

async fn office(store: &AnyStore) -> Office {
    let (me, mate, stranger) = (
        member(store, 1).await,
        member(store, 2).await,
        member(store, 3).await,
    );
    let (team, other) = (
        add(store, "甲", Sees::Team).await,
        add(store, "乙", Sees::Own).await,
    );
    let company = add_company(store, &company_details("青空")).await;
    let mut customers = Vec::new();
    for (name, owner, of) in [
        ("一", Some(me), None),
        ("二", Some(mate), Some(other)),
        ("三", None, None),
        ("四", None, Some(other)),
        ("五", Some(stranger), None),
        ("六", Some(stranger), Some(team)),
    ] {
        let customer = add_customer(store, &customer_of(name, "", company)).await;
        set(store, customer, owner, of).await;
        customers.push(customer);
    }
    let sight = |owners: &[MemberId], teams: &[TeamId], whole: &[TeamId]| {
        Visible::Some(Sight {
            owners: owners.to_vec(),
            teams: teams.to_vec(),
            whole: whole.to_vec(),
        })
    };
    Office {
        mine: customers[0],
        mates: customers[1],
        nobodys: customers[2],
        teams: customers[3],
        strangers: customers[4],
        of_whole_team: customers[5],
        company,
        sight: sight(&[me, mate], &[team, other], &[team]),
        narrow: sight(&[me], &[], &[]),
    }
}

impl Office {
    fn seen(&self) -> Vec<CustomerId> {
        vec![
            self.mine,
            self.mates,
            self.nobodys,
            self.teams,
            self.of_whole_team,
        ]
    }
}

pub async fn what_one_does_not_see_is_not_found(store: AnyStore) {
    let office = office(&store).await;
    let everybody = [office.seen(), vec![office.strangers]].concat();
    for (sight, seen) in [
        (Visible::All, everybody.clone()),
        (office.sight.clone(), office.seen()),
        (office.narrow.clone(), vec![office.mine, office.nobodys]),
    ] {
        for customer in &everybody {
            let (id, by) = (*customer, sight.clone());
            let found = read(&store, move |unit| unit.customers().customer(id, &by)).await;
            assert_eq!(found.is_some(), seen.contains(customer), "{customer:?}");
        }
    }
}

pub async fn lists_counts_and_searches_hold_only_what_is_seen(store: AnyStore) {
    let office = office(&store).await;
    let (sight, company) = (office.sight.clone(), office.company);
    let list = |filter: CustomerFilter| {
        let sight = sight.clone();
        read(&store, move |unit| {
            let page = unit
                .customers()
                .customer_list(&filter, &PageRequest::first(50), &sight)?;
            let mut ids: Vec<_> = page.items.iter().map(|line| line.customer.id).collect();
            ids.sort();
            Ok(ids)
        })
    };
    let found = |typed: &str, company| {
        list(CustomerFilter {
            prefix: CustomerPrefix::new(typed),
            company,
        })
    };
    assert_eq!(list(CustomerFilter::default()).await, office.seen());
    assert_eq!(found("", Some(company)).await, office.seen());
    assert_eq!(found("五", None).await, []);
    assert_eq!(found("五", Some(company)).await, []);
    assert_eq!(found("六", None).await, [office.of_whole_team]);
    let by = sight.clone();
    let companies = read(&store, move |unit| {
        unit.companies()
            .company_list(&CompanyFilter::default(), &PageRequest::first(9), &by)
    });
    let counted: Vec<i64> = companies.await.items.iter().map(|line| line.customers).collect();
    assert_eq!(counted, [5]);
}

pub async fn a_companys_messages_are_those_of_people_who_are_seen(store: AnyStore) {
    let office = office(&store).await;
    let messages = vec![
        received(office.strangers, "隠れる", after(1)),
        received(office.mates, "見える", after(2)),
    ];
    add_activities(&store, messages).await;
    let (company, sight) = (office.company, office.sight.clone());
    let shown = read(&store, move |unit| {
        unit.activities().activities_of_company(company, None, 9, &sight)
    });
    let shown: Vec<String> = shown.await.into_iter().map(|row| row.message).collect();
    assert_eq!(shown, ["見える"]);
}

async fn waits(store: &AnyStore, number: u32, customer: Option<CustomerId>) -> ConversationId {
    let talk = open_talk(store, &user(number)).await;
    let line = match customer {
        Some(id) => read(store, move |unit| unit.customers().customer(id, &Visible::All)).await,
        None => None,
    };
    let standing = Standing {
        customer_id: customer,
        owner_id: line.as_ref().and_then(|line| line.customer.owner_id),
        team_id: line.and_then(|line| line.customer.team_id),
        waiting_since: Some(after(i64::from(number))),
        last: Some(LastMessage::new(
            after(i64::from(number)),
            Direction::Received,
            MessageKind::Text,
            "質問",
        )),
        ..Standing::default()
    };
    write(store, move |unit| {
        unit.edit_conversations()
            .save_standings(&[(talk, standing.clone())])
    })
    .await;
    talk
}

pub async fn the_board_and_its_counts_hold_only_what_is_seen(store: AnyStore) {
    let office = office(&store).await;
    let mine = waits(&store, 1, Some(office.mine)).await;
    let mates = waits(&store, 2, Some(office.mates)).await;
    waits(&store, 3, Some(office.strangers)).await;
    let unknown = waits(&store, 4, None).await;
    let board = |tab| {
        let request = BoardRequest {
            column: Column::Waiting,
            tab,
            reader: None,
            visible: office.sight.clone(),
            after: None,
            limit: 9,
        };
        read(&store, move |unit| {
            let page = unit.board().board(&request)?;
            Ok(page
                .lines
                .iter()
                .map(|line| line.conversation.id)
                .collect::<Vec<_>>())
        })
    };
    assert_eq!(board(Tab::All).await, [mine, mates, unknown]);
    let sight = office.sight.clone();
    let counts = read(&store, move |unit| unit.board().board_counts(None, &sight, 9)).await;
    assert_eq!((counts.waiting, counts.unknown), (3, 1));
}

pub async fn the_tab_of_a_team_holds_its_customers_and_those_of_its_members(store: AnyStore) {
    let (me, mate, stranger) = (
        member(&store, 1).await,
        member(&store, 2).await,
        member(&store, 3).await,
    );
    let team = add(&store, "甲", Sees::All).await;
    place(&store, team, &[(me, false), (mate, false)]).await;
    let company = add_company(&store, &company_details("青空")).await;
    let mut talks = Vec::new();
    for (number, owner, of) in [
        (1, Some(mate), None),
        (2, None, Some(team)),
        (3, Some(stranger), None),
        (4, None, None),
    ] {
        let customer = add_customer(&store, &customer_of("山田", "", company)).await;
        set(&store, customer, owner, of).await;
        talks.push(waits(&store, number, Some(customer)).await);
    }
    let request = BoardRequest {
        column: Column::Waiting,
        tab: Tab::Team(me),
        reader: None,
        visible: Visible::All,
        after: None,
        limit: 9,
    };
    let page = read(&store, move |unit| unit.board().board(&request)).await;
    let shown: Vec<_> = page.lines.iter().map(|line| line.conversation.id).collect();
    assert_eq!(shown, talks[..2]);
}

pub async fn events_say_whose_their_record_is_now(store: AnyStore) {
    let office = office(&store).await;
    let talk = waits(&store, 1, Some(office.strangers)).await;
    let unknown = waits(&store, 2, None).await;
    let (customer, gone) = (office.strangers, CustomerId::new(404));
    write(&store, move |unit| {
        let new = |kind| NewEvent::new(kind, start());
        unit.edit_events().add_events(&[
            new(EventKind::Customer).customer(customer),
            new(EventKind::Conversation).conversation(talk),
            new(EventKind::Conversation).conversation(unknown),
            new(EventKind::Customer).customer(gone),
            new(EventKind::Gone),
        ])
    })
    .await;
    let events = read(&store, |unit| {
        unit.events().events_after(EventPlace::default(), 99)
    })
    .await;
    let line = read(&store, move |unit| {
        unit.customers().customer(customer, &Visible::All)
    })
    .await;
    let owner = line.expect("the customer is there").customer.owner_id;
    let theirs = Whose::Customers(owner, None);
    let whose: Vec<Whose> = events
        .iter()
        .rev()
        .take(5)
        .rev()
        .map(|event| event.whose)
        .collect();
    assert_eq!(
        whose,
        [
            theirs,
            theirs,
            Whose::Everybodys,
            Whose::Nobodys,
            Whose::Everybodys
        ]
    );
}
