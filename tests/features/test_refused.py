"""What is never accepted is recognised by name: five languages, disguises, and no false alarm on honest columns."""

from __future__ import annotations

import pytest

from features.intake.refused import TOPICS, refusal

FORBIDDEN = {
    "message content": "message_text MSG_TXT chatContent mail-body 聊天记录 邮件正文 nachrichtentext texto_del_mensaje",
    "emotion": "sentiment_avg Mood 情绪 x_emotion_score stimmung",
    "web and job sites": "web_visits visited_urls job_site_visits 招聘网站访问次数 browser_history",
    "CV uploads": "cv_uploads x_resume_updates 简历投递次数 Lebenslauf",
    "location traces": "gps_lat geolocation location_history 行踪轨迹 Bewegungsprofil",
    "biometrics": "fingerprint face_id 人脸特征 huella_dactilar",
    "health": "health_score sick_days 病假天数 Krankheitstage salud medical_leave",
    "leave reasons": "leave_reason reason_for_absence 请假原因 motif_absence Abwesenheitsgrund",
    "pregnancy and parenthood": "pregnant 怀孕 Schwangerschaft enceinte embarazada maternity_leave",
    "family status": "marital_status 婚姻状况 Familienstand situation_familiale estado_civil x_kids",
    "religion": "religion 宗教信仰 Konfession religión",
    "union membership": "union_member 工会会员 Gewerkschaft syndicat sindicato",
    "political opinion": "political_party 政治面貌 parti_politique",
    "protected attribute": "gender Sex x_sex g3nder ge_n_der gеnder 性别 性別 Geschlecht genre género age Alter edad "
    "Âge birth_year BirthDate 出生日期 Geburtsdatum date_de_naissance 民族 "
    "ethnicity nationality race 身份证号 disability",
}
HONEST = (
    "manager engagement usage average_pay stage page percentage department reunion community essex agenda trace_id "
    "policy language x_shift x_commute_minutes x_machine_hours 离职原因 部门 社保 location 工作地点 发生日期 工作岗位 "
    "email title 病区 病房 科室 岗位定位 x_healthcare_years x_generous_bonus classname "
    "reason_code training_budget one_on_one 考勤 福利"
)


@pytest.mark.parametrize(("topic", "header"), [(t, h) for t, line in FORBIDDEN.items() for h in line.split()])
def test_a_forbidden_column_is_refused_with_its_reason(topic: str, header: str) -> None:
    found = refusal(header)
    assert found is not None
    assert found.topic == topic
    assert found.reason_en
    assert found.reason_zh


@pytest.mark.parametrize("header", HONEST.split())
def test_an_honest_column_is_not_refused(header: str) -> None:
    assert refusal(header) is None


def test_an_invisible_sign_does_not_hide_a_name() -> None:
    assert refusal("gen\u200bder") is not None


def test_protected_attributes_are_welcome_in_their_own_table_only() -> None:
    assert refusal("gender", protected_table=True) is None
    assert refusal("religion", protected_table=True) is not None
    assert [topic.name for topic in TOPICS if topic.in_protected] == ["protected attribute"]
