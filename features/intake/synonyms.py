"""Other names of our tables, columns and values, in English and Chinese. Facts, no behaviour (see ``mapping.py``).

A header that stands for two columns of the same table would be guessed; a test holds that there is none.
"""

from __future__ import annotations

import re
import unicodedata

TABLE_NAMES: dict[str, str] = {
    "employees": "employee staff roster people personnel workers headcount 员工 员工表 员工信息 员工名册 花名册 "
    "人员 人员信息 职工 在职员工 员工花名册 人员花名册 在职花名册 在职人员 员工档案 员工清单",
    "exits": "exit leavers terminations resignations attrition turnover separations 离职 离职表 离职记录 离职员工 "
    "离职名单 离职人员 离职人员名单 离职花名册 离职明细 离职台账",
    "positions": "position jobs assignments job_history salary compensation pay 岗位 任职 任职记录 岗位变动 薪酬 "
    "薪资 职位 异动 调动记录 岗位异动 人事异动 异动记录 异动明细 调薪 调薪记录 调薪明细 薪资调整",
    "interactions": "interaction events communications collaboration 互动 协作 互动记录 协作记录 沟通记录",
    "surveys": "survey engagement_survey pulse survey_results answers votes 问卷 调查 敬业度 满意度 问卷结果 "
    "满意度调查 员工满意度 敬业度调查",
    "reviews": "review performance performance_reviews ratings appraisals 绩效 绩效评价 绩效考核 考核 评价 "
    "绩效结果 绩效考核结果 绩效记录 绩效评估 绩效等级 考核结果",
    "goals": "goal okr okrs objectives 目标 目标进度",
    "learning": "training trainings course_records learning_records 培训 培训记录 学习 学习记录 "
    "培训记录表 培训明细 培训台账",
    "skills": "skill competencies 技能 能力 技能记录",
    "recognitions": "recognition kudos awards praise thanks 认可 表扬 奖励 认可记录 荣誉",
    "attendance": "time timesheets timesheet working_time 考勤 工时 考勤记录 加班 "
    "考勤月报 考勤汇总 月度考勤 考勤表 考勤明细 考勤月度汇总 月度汇总 考勤统计",
    "aspirations": "aspiration career_wishes wishes 期望 职业期望 意愿",
    "care_actions": "care_action care actions 关怀 关怀行动 关怀记录",
    "exit_interviews": "exit_interview 离职面谈 离职访谈",
    "protected": "demographics fairness 受保护属性 人口信息",
    "job_skills": "job_skill job_requirements 岗位技能 岗位要求",
    "courses": "course course_catalog 课程 课程目录",
    "activities": "activity clubs 活动 活动列表",
}

_ANY: dict[str, str] = {
    "employee_id": "emp_id employee employee_no employee_number emp_no staff_id staff_no personnel_number worker_id "
    "person_id employee_code emp_code user_id 工号 员工编号 员工号 员工工号 职工编号 职工号 人员编号 员工id "
    "员工代码",
    "happened_on": "date event_date on_date day 日期 发生日期 时间日期",
    "known_on": "recorded_on recorded_date entered_on entry_date created_on created_at known_date 录入日期 登记日期 "
    "知悉日期 记录日期 创建日期",
    "note": "notes remark remarks comment 备注 说明",
    "title": "subject_title name_of 标题 名称",
    "course_id": "course course_no course_code course_number 课程编号 课程号 课程代码",
    "skill": "skill_name competency 技能 技能名称 能力",
    "hours": "hrs duration_hours 小时 小时数 学时 课时 时长",
    "status": "state 状态 进度状态",
    "source": "origin_of_rating 来源",
}

_COLUMNS: dict[str, dict[str, str]] = {
    "employees": {
        "hired_on": "hire_date hired date_hired hiring_date join_date joining_date date_of_joining start_date "
        "onboard_date entry_date 入职日期 入职时间 入司日期 入职日 到岗日期 入司时间 进公司日期",
        "name": "full_name employee_name display_name 姓名 员工姓名 名字",
        "email": "e_mail mail email_address work_email 邮箱 电子邮箱 工作邮箱 邮件地址",
    },
    "exits": {
        "happened_on": "date exit_date last_day last_working_day last_working_date termination_date leaving_date "
        "leave_date end_date separation_date 离职日期 离职时间 最后工作日 离职日 日期 离职生效日期 实际离职日期",
        "kind": "type exit_type exit_kind termination_type separation_type leaving_type 离职类型 离职类别 离职方式 "
        "类型",
        "reason": "exit_reason leaving_reason leave_reason termination_reason reason_for_leaving separation_reason "
        "离职原因 离职理由 原因",
        "known_on": "notice_date notice_given resignation_date date_of_notice known_date 提出离职日期 辞职日期 "
        "离职申请日期 申请日期 通知日期 提出离职时间 离职申请时间",
    },
    "positions": {
        "happened_on": "date effective_date effective_on effective_from valid_from start_date from_date change_date "
        "生效日期 开始日期 变动日期 调动日期 日期 任职日期 异动日期 生效时间 "
        "调薪日期 调整日期 异动生效日期 调薪生效日期",
        "department": "dept dept_name department_name division 部门 所属部门 部门名称 一级部门 "
        "新部门 现部门 异动后部门 调入部门 变动后部门",
        "team": "group team_name squad 团队 小组 班组 组别 二级部门 科室",
        "location": "site office city work_location place 工作地点 地点 办公地点 工作城市 城市",
        "job": "job_title position role title post 岗位 职位 岗位名称 职务 职位名称 "
        "新岗位 现岗位 异动后岗位 变动后岗位",
        "job_family": "family job_group job_category 岗位序列 职位序列 序列 职类",
        "ladder": "track career_track career_ladder 通道 职业通道 发展通道",
        "level": "grade job_level job_grade rank 职级 级别 等级 岗级 新职级 现职级 异动后职级 变动后职级",
        "manager_id": "manager supervisor_id reports_to line_manager_id boss_id manager_no 直属上级工号 上级工号 "
        "主管工号 经理工号 直接上级工号 汇报上级工号 新上级工号 汇报人工号",
        "employment_type": "contract_type employment_form worker_type 用工形式 用工类型 合同类型 员工类型",
        "weekly_hours": "hours_per_week contract_hours 周工时 每周工时 每周约定工时",
        "pay": "salary monthly_pay monthly_salary base_pay base_salary wage 薪资 月薪 工资 薪酬 基本工资 "
        "调后月薪 调薪后 调后薪资 调薪后薪资 调整后薪资 调整后月薪 新月薪 税前月薪 固定月薪",
        "pay_midpoint": "midpoint market_median salary_midpoint market_pay 市场中位值 薪酬中位值 市场薪酬 "
        "薪酬中位数 市场中位数",
        "currency": "currency_code pay_currency 币种 货币",
        "probation_ends_on": "probation_end probation_end_date 转正日期 试用期截止日期 试用期结束日期",
        "contract_ends_on": "contract_until contract_end_date 合同到期日 合同到期日期 合同终止日期 合同截止日期",
        "bonus_on": "bonus_date next_bonus vesting_date 奖金发放日期 年终奖发放日期 股权归属日期",
    },
    "interactions": {
        "employee_id": "sender_id from_id actor_id 发起人工号 发起人",
        "happened_at": "timestamp datetime time at sent_at event_time created_at date_time 时间 发生时间 时间戳 "
        "发送时间",
        "happened_on": "date event_date day on_date 日期 发生日期",
        "kind": "type event_type interaction_type channel 类型 互动类型 方式",
        "counterpart_id": "counterpart receiver_id recipient_id to_id other_id target_id 对方工号 接收人工号 "
        "对象工号 接收人 对方",
        "n": "count number times quantity 次数 数量",
        "minutes": "duration_minutes mins duration 分钟 分钟数 时长 时长分钟",
        "after_hours": "off_hours outside_hours 工作时间外 是否下班后 下班后 非工作时间",
        "known_on": "recorded_on recorded_date entered_on entry_date known_date 录入日期 登记日期",
    },
    "surveys": {
        "happened_on": "date survey_date answered_on response_date 日期 填写日期 调查日期 问卷日期",
        "item": "question dimension topic 题目 问题 维度 指标",
        "score": "answer value rating response 得分 分数 评分 答案 分值",
        "scale_min": "min_score minimum 最低分 量表最低分",
        "comment_length": "comment_chars comment_characters length_of_comment 附言字数 评论字数 留言字数 意见字数",
        "scale_max": "max_score maximum 最高分 满分 量表最高分",
    },
    "reviews": {
        "happened_on": "date review_date rated_on evaluation_date 日期 评价日期 考核日期 绩效日期 评估日期",
        "rating": "score performance_rating grade result 评分 绩效评分 绩效得分 得分 考核结果 绩效 "
        "绩效等级 考核等级 绩效结果 等级 评级 考核得分 绩效分数 考核评分",
        "scale_max": "max_rating max_score 满分 最高分",
        "reviewer_id": "reviewer rater_id rated_by evaluator_id 评价人工号 评价人 考核人工号 考核人",
        "source": "reviewer_type rater_type 评价来源 来源 评价类型",
    },
    "goals": {
        "goal_id": "goal_no objective_id okr_id 目标编号 目标id",
        "happened_on": "date updated_on update_date checked_on 更新日期 日期",
        "progress": "completion percent_complete done_share 进度 完成度 完成率",
        "due_on": "due_date deadline target_date 截止日期 到期日 目标日期",
        "title": "goal goal_title objective 标题 目标名称 目标",
        "parent_goal_id": "parent_id parent_goal 上级目标编号 父目标",
    },
    "learning": {
        "happened_on": "date completed_on completion_date training_date 日期 培训日期 完成日期 培训时间 "
        "培训开始日期 结业日期",
        "course_id": "course training_id course_no course_code 课程编号 课程号 课程代码 课程",
        "status": "state completion_status 状态 完成状态 培训状态",
        "hours": "training_hours duration_hours 学时 课时 培训时长 时长 小时",
        "score": "test_score result grade 成绩 得分 分数",
    },
    "skills": {
        "happened_on": "date assessed_on assessment_date 日期 评定日期 评估日期",
        "skill": "skill_name competency 技能 技能名称 能力",
        "level": "proficiency skill_level rating 熟练度 水平 技能等级 等级",
        "source": "assessed_by assessor_type 来源 评定来源",
    },
    "recognitions": {
        "happened_on": "date award_date given_on 日期 表扬日期 认可日期 奖励日期",
        "kind": "type recognition_type award_type 类型 认可类型 奖励类型",
        "given_by": "giver giver_id from_id awarded_by 给予人工号 授予人 给予人 表扬人",
    },
    "attendance": {
        "happened_on": "date work_date day period month 日期 考勤日期 工作日期",
        "hours": "hours_worked working_hours work_hours 工时 工作时长 出勤工时 小时 "
        "实际工时 出勤小时 出勤时长 实际出勤工时",
        "overtime_hours": "overtime ot_hours extra_hours 加班时长 加班小时 加班工时 加班 "
        "加班总时长 加班小时数 加班合计",
        "late_minutes": "minutes_late lateness 迟到分钟 迟到分钟数 迟到时长",
        "leave_days": "days_of_leave leave days_off 请假天数 休假天数 请假天数合计",
    },
    "aspirations": {
        "happened_on": "date stated_on 日期 填写日期",
        "wants": "wish wish_type next_step 期望 意愿 期望类型",
        "target_job": "desired_job wanted_job target_role 目标岗位 期望岗位",
        "interests": "interest hobbies 兴趣 兴趣爱好",
    },
    "care_actions": {
        "happened_on": "date action_date 日期 行动日期",
        "action": "action_id care_action measure 行动 行动编号 关怀行动 措施",
        "decided_by": "decider decision_by 决定人工号 决定人",
    },
    "exit_interviews": {
        "happened_on": "date interview_date 日期 面谈日期 访谈日期",
        "reason": "exit_reason leaving_reason leave_reason main_reason 离职原因 原因 主要原因",
    },
    "job_skills": {
        "job": "job_title position role 岗位 职位 岗位名称",
        "level": "grade job_level 职级 级别",
        "required_level": "requirement needed_level required 要求熟练度 要求等级 所需水平",
    },
    "courses": {
        "title": "course_title course_name name 课程名称 名称 标题",
        "to_level": "target_level reaches_level 达到熟练度 目标等级 目标水平",
        "mode": "form format delivery 形式 授课方式 方式",
    },
    "activities": {
        "activity_id": "activity activity_no 活动编号 活动号",
        "title": "activity_name name activity_title 活动名称 名称 标题",
        "interest": "interests hobby category 兴趣 兴趣类别 类别",
        "happened_on": "date activity_date 活动日期 日期",
        "place": "venue location where 地点 活动地点 场地",
    },
    "protected": {
        "gender": "sex 性别 性別",
        "birth_year": "year_of_birth 出生年份 出生年",
        "disability": "disabled 残疾 是否残疾",
        "ethnicity": "ethnic_group 民族 种族",
        "nationality": "国籍",
    },
}

_VALUES: dict[tuple[str, str], dict[str, str]] = {
    ("exits", "kind"): {
        "voluntary": "resigned resignation quit voluntary_exit voluntary_resignation 主动离职 主动 辞职 自愿离职 "
        "自离 个人辞职 主动辞职 员工主动离职 个人原因离职 员工辞职 自动离职 试用期主动离职 试用期辞职",
        "involuntary": "dismissed dismissal fired terminated layoff laid_off redundancy 被动离职 被动 辞退 解雇 "
        "裁员 开除 劝退 公司辞退 协商解除 协商离职 协商解除劳动合同 试用期不合格 试用期辞退 优化 人员优化 淘汰 "
        "违纪解除",
        "retirement": "retired 退休 正常退休 提前退休 内退",
        "contract_end": "contract_expired end_of_contract fixed_term_end 合同到期 合同终止 期满 合同到期不续签 "
        "合同期满 劳动合同到期 到期不续签 不续签 实习结束",
        "other": "其他 其它 unknown 死亡 death 身故 集团内调动 调出",
    },
    ("positions", "ladder"): {
        "management": "manager managerial m 管理 管理通道 管理序列",
        "professional": "specialist technical expert p 专业 专业通道 专业序列 技术",
    },
    ("interactions", "kind"): {
        "message": "chat im instant_message 消息 聊天 即时消息",
        "email": "mail e_mail 邮件 电子邮件",
        "meeting": "meet conference call 会议 开会",
        "one_on_one": "1on1 1_1 one_to_one 一对一 面谈 1对1",
        "project": "projects 项目 项目协作",
        "help_given": "help helped mentoring 帮助 帮助他人 协助 指导",
    },
    ("reviews", "source"): {
        "manager": "supervisor boss 上级 主管 直属上级",
        "self": "self_review 自评 本人",
        "peer": "colleague peers 同事 同级",
        "report": "direct_report subordinate upward 下属 下级",
        "customer": "client 客户",
    },
    ("learning", "status"): {
        "assigned": "enrolled planned registered 已分配 已报名 待学习",
        "started": "in_progress ongoing 进行中 学习中 已开始",
        "completed": "complete done finished passed 已完成 完成 通过 结业",
    },
    ("recognitions", "kind"): {
        "customer_praise": "customer praise client_praise 客户表扬 患者表扬 客户好评",
        "improvement": "process_improvement idea 改进 改善 流程改进",
        "cost_saving": "saving savings 降本 节约成本 节省成本",
        "rescue": "emergency 救场 抢救 应急",
        "peer_thanks": "thanks kudos peer 同事感谢 感谢 点赞",
        "award": "prize 奖励 获奖 表彰",
    },
    ("aspirations", "wants"): {
        "promotion": "promoted 晋升 升职",
        "transfer": "move rotation 调岗 转岗 轮岗",
        "skill": "skills learn learning 学习 技能 提升技能",
        "flexibility": "flexible remote 弹性 灵活 弹性工作",
        "none": "nothing 无 没有",
    },
    ("care_actions", "status"): {
        "suggested": "proposed 已建议 建议",
        "agreed": "accepted planned 已同意 同意",
        "done": "completed finished 已完成 完成",
        "declined": "rejected refused 已拒绝 拒绝",
    },
}

_SECOND_NAMES: dict[str, dict[str, str]] = {
    "positions": {"manager_id": "直接上级 汇报对象 上级 直属上级 直线经理"},
    "reviews": {"happened_on": "考核周期 绩效周期 考核期间 考核月份 考核季度 考核年度 周期 period review_period cycle"},
    "learning": {"course_id": "课程名称 培训课程 培训名称 培训项目 培训内容 培训主题 course_name course_title"},
    "attendance": {"happened_on": "月份 考勤月份 统计月份 所属月份 年月 考勤年月 考勤周期"},
}
"""What fills a column only when no better header does: a title where there is no number, a period where there is no
day."""

_ASIDE: dict[str, str] = {
    "在职状态 员工状态 人员状态 employment_status": "who left is told by `exits`, with the day",
    "序号 no": "the number of a line says nothing",
    "司龄 工龄 本企业工龄 tenure years_of_service": "counted from hired_on, as of each day",
    "迟到次数 早退次数": "lateness does not foretell exits; the minutes are enough",
    "应出勤天数 应出勤 排班天数": "a calendar; declare an own column (x_…) to use it",
    "出勤天数 实际出勤天数 实际出勤 days_present": "`hours` counts hours; declare an own column (x_…) to use it",
    "参加工作日期 参加工作时间": "the first job of a life, not the first day here",
    "年薪 annual_salary yearly_salary": "`pay` is per month: divide it in the export, and say of what it is made",
}
"""Headers that mean one thing everywhere, and why no column takes them."""

_REASON_VALUES: dict[str, str] = {
    "growth": "career career_growth career_development no_growth promotion 发展 职业发展 晋升空间 发展空间 成长 "
    "个人发展 职业规划 职业发展规划",
    "recognition": "not_valued unappreciated 认可 不被认可 缺乏认可",
    "belonging": "team colleagues culture 归属 团队氛围 同事关系 文化 企业文化",
    "workload": "overtime stress hours work_life_balance 工作量 加班 压力 工作压力 工作强度",
    "pay": "salary compensation better_pay money wages 薪酬 薪资 工资 待遇 薪酬福利",
    "manager": "boss leadership supervisor 上级 领导 管理 上级关系 领导风格",
    "fairness": "unfair unfairness justice 公平 不公平",
    "engagement": "job_content work_itself boredom interest 工作内容 工作兴趣 敬业度",
    "relocation": "moving moved commute distance 搬迁 异地 通勤 距离 搬家",
    "study": "education school further_education 深造 学业 读书 升学",
    "personal": "personal_reasons private 个人 个人原因 家庭原因",
    "performance": "low_performance poor_performance 绩效 业绩不佳 不胜任",
    "restructuring": "reorganisation reorganization layoff redundancy 重组 裁员 组织调整",
    "contract": "contract_end contract_expired 合同 合同到期",
    "retirement": "retired 退休",
    "other": "others 其他 其它",
}
_VALUES[("exits", "reason")] = _REASON_VALUES
_VALUES[("exit_interviews", "reason")] = _REASON_VALUES

YES = frozenset(("true", "t", "yes", "y", "1", "1.0", "是", "有", "对", "真", "√", "✓", "是的", "x"))
NO = frozenset(("false", "f", "no", "n", "0", "0.0", "否", "无", "没有", "错", "假", "×", "不是"))


def plain(header: str) -> str:
    """A name without what does not matter: case, width, separators, units in brackets (``工时(小时)`` → ``工时``)."""
    text = unicodedata.normalize("NFKC", header).casefold()
    bare = re.sub(r"[\W_]+", "", re.sub(r"[(\[【].*?[)\]】]", "", text))
    return bare or re.sub(r"[\W_]+", "", text)


def _index(words: dict[str, str]) -> dict[str, str]:
    return {plain(word): name for name, line in words.items() for word in (name, *line.split())}


def columns_by_name(table_name: str) -> dict[str, str]:
    """Plain header → our column, for one table: its own words first, then the words of every table."""
    from features.tables import TABLES

    names = (*TABLES[table_name].names(), "known_on")
    general = _index({name: _ANY.get(name, "") for name in names})
    return general | _index(_COLUMNS.get(table_name, {}))


def second_names(table_name: str) -> dict[str, str]:
    """Plain header → our column, for headers that do when there is no better one."""
    return {plain(word): name for name, line in _SECOND_NAMES.get(table_name, {}).items() for word in line.split()}


def tables_by_name() -> dict[str, str]:
    """Plain file name → our table."""
    return _index(TABLE_NAMES)


def values_by_name(table_name: str, column: str) -> dict[str, str]:
    """Plain value → one of the allowed values of this column."""
    return _index(_VALUES.get((table_name, column), {}))


def left_aside() -> dict[str, str]:
    """Plain header → why it is not taken, for headers that are no question to anybody."""
    return {plain(word): why for words, why in _ASIDE.items() for word in words.split()}
