"""Every table that an organisation may hand over, column by column: meaning, unit, constraint. Facts, no behaviour.

What the columns are *not*: a record of everything that happened. A table that is absent means "we do not know",
never zero. Messages and meetings are counts; what was said in them is not accepted anywhere.
"""

from __future__ import annotations

from features.columns import REASONS, Column, Table, amount, day, must, text

_WHO = must("employee_id", "the person's number in the organisation", "工号")
_WHEN = day("happened_on", "the day on which it was true", "发生日期", required=True)
_REASON = ("why the person left, from the short list", "离职原因(短列表)")


_EMPLOYEES = Table(
    "employees",
    (
        _WHO,
        day("hired_on", "first working day", "入职日期", required=True, begins=True),
        text("name", "name as shown to people; never a feature", "姓名(只用于显示,不作特征)"),
        text("email", "work address for notices; never a feature", "工作邮箱(只用于通知,不作特征)"),
    ),
    key=("employee_id",),
    lag_days=0,
    meaning_en="everyone who works or worked here",
    meaning_zh="所有在职和曾在职的员工",
    event="hired_on",
    known_ahead=True,
)

_EXITS = Table(
    "exits",
    (
        _WHO,
        day("happened_on", "last working day", "最后工作日", required=True),
        must(
            "kind",
            "who ended the employment, or what ended it",
            "离职类型",
            allowed=("voluntary", "involuntary", "retirement", "contract_end", "other"),
        ),
        text("reason", *_REASON, allowed=REASONS, otherwise="other"),
    ),
    key=("employee_id", "happened_on"),
    lag_days=None,
    meaning_en="who left, and how; known_on is the day of the notice",
    meaning_zh="离职记录;known_on 为提出离职之日",
    known_ahead=True,
)

_POSITIONS = Table(
    "positions",
    (
        _WHO,
        day("happened_on", "first day of this position, pay or manager", "生效日期", required=True, begins=True),
        text("department", "department", "部门"),
        text("team", "team inside the department", "团队"),
        text("location", "place of work (a site, never a trace)", "工作地点(办公地,非轨迹)"),
        text("job", "job title", "岗位"),
        text("job_family", "family of similar jobs", "岗位序列"),
        text("ladder", "career ladder", "职业通道", allowed=("management", "professional")),
        Column("level", "int", False, "level on the ladder", "职级", unit="level", minimum=0, maximum=100),
        text("manager_id", "employee_id of the direct manager", "直属上级工号"),
        text("employment_type", "form of employment, as permanent or temporary", "用工形式"),
        amount("weekly_hours", "agreed hours per week", "每周约定工时", unit="hours per week", most=168),
        amount("pay", "agreed pay per month", "月薪", unit="currency per month"),
        amount(
            "pay_midpoint", "market median per month for this job", "该岗位市场月薪中位值", unit="currency per month"
        ),
        text("currency", "currency of pay, as CNY", "币种"),
        day("probation_ends_on", "last day of probation", "试用期截止日期"),
        day("contract_ends_on", "last day of a contract that ends by itself", "合同到期日期"),
        day("bonus_on", "day on which the next bonus or share award falls due", "下一次奖金或股权发放日期"),
    ),
    key=("employee_id", "happened_on"),
    lag_days=0,
    meaning_en="job, pay, place and manager, one row per change",
    meaning_zh="岗位、薪酬、地点与上级,每次变动一行",
    known_ahead=True,
)

_INTERACTIONS = Table(
    "interactions",
    (
        must("employee_id", "the person who acted", "发起人工号"),
        Column("happened_at", "timestamp", False, "local clock time", "发生时间(当地)", unit="timestamp"),
        day("happened_on", "day, when no clock time is known", "发生日期(无具体时间时)"),
        must(
            "kind",
            "what was done; never what was said",
            "互动类型(只计次,不含内容)",
            allowed=("message", "email", "meeting", "one_on_one", "project", "help_given"),
        ),
        text("counterpart_id", "employee_id of the other person", "对方工号"),
        Column("n", "int", False, "how many such acts the row stands for", "次数", unit="count", minimum=0, default=1),
        amount("minutes", "how long it lasted", "时长", unit="minutes"),
        Column("after_hours", "bool", False, "outside of agreed working time", "是否在工作时间外", unit="flag"),
    ),
    key=(),
    lag_days=1,
    meaning_en="counts of working together, append only",
    meaning_zh="协作次数,只追加",
    one_of=("happened_at", "happened_on"),
)

_SURVEYS = Table(
    "surveys",
    (
        _WHO,
        _WHEN,
        must(
            "item",
            "question: engagement, growth, recognition, belonging, workload, pay, manager, fairness, wellbeing, "
            "enps, intent_to_stay or an own one",
            "题目",
        ),
        Column("score", "float", True, "answer, between scale_min and scale_max", "得分", unit="points"),
        Column("scale_min", "float", False, "lowest possible answer", "量表最低分", unit="points", default=1.0),
        Column("scale_max", "float", False, "highest possible answer", "量表最高分", unit="points", default=5.0),
        Column(
            "comment_length",
            "int",
            False,
            "how many characters were written beside the answer; what was written is not accepted",
            "附言字数(不接收附言内容)",
            unit="count",
            minimum=0,
        ),
    ),
    key=("employee_id", "happened_on", "item"),
    lag_days=7,
    meaning_en="answers to survey questions",
    meaning_zh="问卷回答",
)

_REVIEWS = Table(
    "reviews",
    (
        _WHO,
        _WHEN,
        Column("rating", "float", True, "rating, from 0 to scale_max", "评分", unit="points", minimum=0),
        Column("scale_max", "float", False, "best possible rating", "满分", unit="points", minimum=0, default=5.0),
        text("reviewer_id", "employee_id of the rater", "评价人工号"),
        text("source", "who rated", "评价来源", allowed=("manager", "self", "peer", "report", "customer")),
    ),
    key=("employee_id", "happened_on", "reviewer_id"),
    lag_days=14,
    meaning_en="performance ratings",
    meaning_zh="绩效评价",
)

_GOALS = Table(
    "goals",
    (
        must("goal_id", "number of the goal", "目标编号"),
        must("employee_id", "whose goal it is", "工号"),
        day("happened_on", "day of this update", "更新日期", required=True),
        Column("progress", "float", True, "share done", "进度", unit="share", minimum=0, maximum=1),
        day("due_on", "day by which it should be done", "截止日期"),
        text("title", "title; never a feature", "标题(不作特征)"),
        text("parent_goal_id", "goal that this one serves", "上级目标编号"),
    ),
    key=("goal_id", "happened_on"),
    lag_days=0,
    meaning_en="progress of goals, one row per update",
    meaning_zh="目标进度,每次更新一行",
)

_LEARNING = Table(
    "learning",
    (
        _WHO,
        _WHEN,
        must("course_id", "number of the course", "课程编号"),
        text("status", "how far it went", "状态", allowed=("assigned", "started", "completed")),
        amount("hours", "time spent", "学时", unit="hours"),
        amount("score", "result of a test", "成绩", unit="points"),
    ),
    key=("employee_id", "course_id", "happened_on"),
    lag_days=3,
    meaning_en="courses assigned, started and completed",
    meaning_zh="培训记录",
    known_ahead=True,
)

_SKILLS = Table(
    "skills",
    (
        _WHO,
        _WHEN,
        must("skill", "name of the skill", "技能"),
        Column("level", "float", True, "how well, 0 to 5", "熟练度(0–5)", unit="level", minimum=0, maximum=5),
        text("source", "who judged it", "评定来源"),
    ),
    key=("employee_id", "skill", "happened_on"),
    lag_days=7,
    meaning_en="skills and their level, one row per judgement",
    meaning_zh="技能与熟练度,每次评定一行",
)

_RECOGNITIONS = Table(
    "recognitions",
    (
        _WHO,
        _WHEN,
        must(
            "kind",
            "what is being recognised",
            "认可类型",
            allowed=("customer_praise", "improvement", "cost_saving", "rescue", "peer_thanks", "award"),
        ),
        text("given_by", "employee_id of the giver", "给予人工号"),
        text("note", "a sentence for the achievement file; never a feature", "备注(不作特征)"),
    ),
    key=("employee_id", "happened_on", "kind", "given_by"),
    lag_days=3,
    meaning_en="moments worth seeing: praise, better ways, thanks, awards",
    meaning_zh="值得看见的时刻:表扬、改进、感谢、奖励",
)

_ATTENDANCE = Table(
    "attendance",
    (
        _WHO,
        day("happened_on", "the day, or the last day of the period that is summed up", "日期", required=True),
        amount("hours", "hours worked", "工时", unit="hours", most=800),
        amount("overtime_hours", "hours beyond the agreed ones", "加班时长", unit="hours", most=800),
        amount("late_minutes", "minutes late", "迟到分钟", unit="minutes"),
        amount(
            "leave_days", "days of leave of any kind, without a reason", "请假天数(不含原因)", unit="days", most=366
        ),
    ),
    key=("employee_id", "happened_on"),
    lag_days=3,
    meaning_en="working time; a reason for leave is never accepted",
    meaning_zh="工时;不接受请假原因",
)

_ASPIRATIONS = Table(
    "aspirations",
    (
        _WHO,
        _WHEN,
        text(
            "wants",
            "what the person would like next",
            "期望",
            allowed=("promotion", "transfer", "skill", "flexibility", "none"),
        ),
        text("target_job", "job the person would like", "目标岗位"),
        Column("interests", "list", False, "interests, separated by ;", "兴趣(分号分隔)"),
    ),
    key=("employee_id", "happened_on"),
    lag_days=0,
    meaning_en="what a person said they would like next",
    meaning_zh="员工表达的期望",
    known_ahead=True,
)

_CARE_ACTIONS = Table(
    "care_actions",
    (
        _WHO,
        _WHEN,
        must("action", "id in the catalog of care actions", "关怀行动编号"),
        text("status", "how far it went", "状态", allowed=("suggested", "agreed", "done", "declined")),
        text("decided_by", "employee_id of the person who decided", "决定人工号"),
        text("note", "note; never a feature", "备注(不作特征)"),
    ),
    key=("employee_id", "action", "happened_on"),
    lag_days=0,
    meaning_en="what was done for a person",
    meaning_zh="已采取的关怀行动",
    known_ahead=True,
)

_EXIT_INTERVIEWS = Table(
    "exit_interviews",
    (
        _WHO,
        _WHEN,
        must("reason", *_REASON, allowed=REASONS, otherwise="other"),
        text("note", "note; never a feature", "备注(不作特征)"),
    ),
    key=("employee_id", "happened_on"),
    lag_days=7,
    meaning_en="reasons given at the end",
    meaning_zh="离职面谈",
)

_PROTECTED = Table(
    "protected",
    (_WHO,),
    key=("employee_id",),
    lag_days=0,
    meaning_en="protected attributes, any columns, kept as text; read by the fairness audit alone, never a feature",
    meaning_zh="受保护属性;仅供公平性审计,绝不作特征",
    event=None,
)

_JOB_SKILLS = Table(
    "job_skills",
    (
        must("job", "job title", "岗位"),
        Column("level", "int", False, "level on the ladder", "职级", unit="level", minimum=0, maximum=100),
        must("skill", "name of the skill", "技能"),
        Column("required_level", "float", True, "level needed, 0 to 5", "要求熟练度", "level", 0, 5),
    ),
    key=("job", "level", "skill"),
    lag_days=None,
    meaning_en="which skills a job needs",
    meaning_zh="岗位所需技能",
    reference=True,
    event=None,
)

_COURSES = Table(
    "courses",
    (
        must("course_id", "number of the course", "课程编号"),
        text("title", "title", "课程名称"),
        must("skill", "skill that it teaches, or several: triage; wound care", "所教技能；多个用分号分隔"),
        amount("to_level", "level after the course, 0 to 5", "达到熟练度", unit="level", most=5),
        amount("hours", "time it takes", "学时", unit="hours"),
        text("mode", "form, as online or workshop", "形式"),
    ),
    key=("course_id",),
    lag_days=None,
    meaning_en="courses on offer",
    meaning_zh="可选课程",
    reference=True,
    event=None,
)

_ACTIVITIES = Table(
    "activities",
    (
        must("activity_id", "number of the activity", "活动编号"),
        text("title", "title", "活动名称"),
        text("interest", "interest that it serves", "兴趣"),
        day("happened_on", "day on which it takes place", "活动日期"),
        text("place", "where it takes place", "地点"),
    ),
    key=("activity_id",),
    lag_days=None,
    meaning_en="activities that people can join",
    meaning_zh="可参加的活动",
    reference=True,
    event=None,
)

ALL_TABLES: tuple[Table, ...] = (
    _EMPLOYEES,
    _EXITS,
    _POSITIONS,
    _INTERACTIONS,
    _SURVEYS,
    _REVIEWS,
    _GOALS,
    _LEARNING,
    _SKILLS,
    _RECOGNITIONS,
    _ATTENDANCE,
    _ASPIRATIONS,
    _CARE_ACTIONS,
    _EXIT_INTERVIEWS,
    _PROTECTED,
    _JOB_SKILLS,
    _COURSES,
    _ACTIVITIES,
)
